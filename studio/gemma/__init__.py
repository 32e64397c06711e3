"""What the features share about Gemma 3 and CLIP: names, loading, pixels, prompts and the prefix cache."""
