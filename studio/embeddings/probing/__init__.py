"""How well a hallucination can be told from a run's vectors, beside baselines."""
