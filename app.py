"""Serve the studio; also the entry point of a Hugging Face Space."""

from studio.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main(["serve"]))
