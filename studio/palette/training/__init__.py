"""Fine-tuning of a palette model."""
