"""Training of projector and adapters."""
