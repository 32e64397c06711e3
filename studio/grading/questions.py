"""What the judge is asked; the recipe of the embedded judge trains on exactly these."""

QUESTIONS: tuple[str, ...] = (
    "Looking at these two images, has the '{prompt}' color grade been successfully applied to transform the first "
    "image into the second? Answer Yes or No.",
    "The second image is meant to be the first image graded as '{prompt}'. Does it show that grade clearly, and no "
    "other? Answer Yes or No.",
    "Would a colorist say that the change from the first image to the second is '{prompt}'? Answer Yes or No.",
)
"""Phrasings with a ``{prompt}`` slot; the first is the studio's question, the others can be averaged with it."""
