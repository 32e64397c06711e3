"""Drawn scenes and questions about them: example data whose answers follow from what was drawn."""
