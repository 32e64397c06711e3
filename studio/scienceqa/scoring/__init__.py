"""How good answers to science questions are, and beside what."""
