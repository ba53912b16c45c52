"""Build the Compare tab: one photo in several styles, side by side."""
