"""Offer endpoints to other programs, and the same as tools to language models."""
