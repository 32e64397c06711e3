"""Science questions: what one is, and reading and writing sets of them."""
