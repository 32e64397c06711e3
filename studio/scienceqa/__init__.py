"""Train, evaluate and question a Gemma-CLIP model on science questions with pictures."""
