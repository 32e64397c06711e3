"""Grade photographs with words: a 3D LUT trained by gradients from a vision-language judge."""
