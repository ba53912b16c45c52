"""Fetch and verify every downloadable file: what there is, and where it comes from."""

from nada_core.assets.store import fetch

__all__ = ["fetch"]
