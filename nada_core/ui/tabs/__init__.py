"""Build the four tabs of the page; none imports another."""
