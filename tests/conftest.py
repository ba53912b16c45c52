"""Networks are loaded once for the whole run."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    from nada_core.engine import Engine

    return Engine("cpu", styles_folder=tmp_path_factory.mktemp("styles"))


@pytest.fixture(scope="session")
def generator(engine):
    return engine.generator


@pytest.fixture(scope="session")
def encoder(engine):
    return engine.encoder
