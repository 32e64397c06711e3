"""Runs on disk: written in parts, read as one, exported, imported, inspected."""
