"""Adaptations computed by workers of a Ray cluster: what travels, the worker, the crew of them, and a job's way through it."""
