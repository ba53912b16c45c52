"""Build the Stylise tab: a photo in one style."""
