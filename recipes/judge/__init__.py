"""How the judge that ships with the studio is made."""
