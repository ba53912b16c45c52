"""Turn a style into a small network that puts it on a face in milliseconds, and wear such networks."""
