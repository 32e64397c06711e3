"""Asking a Gemma-CLIP model: choices, generation, letters, and conversations."""
