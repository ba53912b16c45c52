"""Measure speed, memory and the life of the app: what `make bench` runs, and what is run by hand."""
