"""How the model that answers questions about drawn scenes is made."""
