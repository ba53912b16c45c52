"""Build the Adapt tab: type a look and watch the faces change."""
