"""Gemma Studio: grade, embed, question, colour and inspect with Gemma 3 on one device."""

__version__ = "0.1.0"
