"""What every training needs: its plan, its schedule, its place on the disk and its course."""
