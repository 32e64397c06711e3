"""Palettes of four colours: from words or a picture, described, checked, exported, and learnt from a table."""
