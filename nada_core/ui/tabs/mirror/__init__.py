"""Build the Mirror tab: a camera's picture in a style, live, in the visitor's own browser."""
