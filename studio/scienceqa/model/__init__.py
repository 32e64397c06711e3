"""The science model: CLIP's eye, a projector and Gemma 3 behind it, and the bundle they are kept in."""
