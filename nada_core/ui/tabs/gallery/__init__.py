"""Build the Gallery tab: look at all styles, compare them, film a walk, export."""
