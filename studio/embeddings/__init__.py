"""Embeddings of a vision-language model on questions about pictures: extract, store, look inside, probe."""
