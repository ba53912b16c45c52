"""Leave tests out where Ray is not installed, without importing it: who joins a cluster sets first where Ray may listen."""

from __future__ import annotations

import importlib.util

import pytest

__all__ = ["needs_ray"]

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs Ray: pip install -r requirements-cluster.txt")
