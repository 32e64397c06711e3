"""How each checkpoint that ships with the studio is made."""
