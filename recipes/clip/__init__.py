"""The recipe of the embedded CLIP judge."""
