"""Build and serve the studio; also the entry point of a Hugging Face Space."""

from studio.serve import serve
from studio.settings import Settings

if __name__ == "__main__":
    serve(Settings.from_environment())
