"""Questions that are drawn: pictures, right answers and reasoning that follow from what was drawn."""
