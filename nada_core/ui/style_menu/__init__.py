"""Offer styles to choose from, by name and by picture."""
