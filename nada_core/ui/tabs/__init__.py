"""Build the five tabs of the page; none imports another."""
