"""What tests of workers share: a crew of them in this process, for as long as a test runs."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from tests.helpers.stand_in_workers import local_crew


@pytest.fixture
def open_crew(monkeypatch):
    """Opens a crew in this process, a worker for each entry: the number of what it tells with which it dies; None: it lives."""
    monkeypatch.setenv("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))  # put back after the workers set it
    with ExitStack() as held:
        yield lambda *dies_at, **options: held.enter_context(local_crew(*dies_at, **options))
