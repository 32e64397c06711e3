"""How the embedded model for science diagrams is made: see README.md."""
