"""Networks are loaded once for the whole run; apps, jobs and photos are made anew for each test."""

from __future__ import annotations

import os
import signal
import tempfile

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background of a shell; tests press Ctrl-C as people at a terminal do
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported, here and in every process the tests start
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 0)):
    # threads of torch that wait for each other's cores cost half of the speed
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))


def pytest_collection_modifyitems(items):
    """Files with slow tests first: the one that is begun last should not be the longest."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


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


@pytest.fixture
def make_app(tmp_path, monkeypatch):
    """Makes contexts whose files all lie under tmp_path and whose jobs end with the test."""
    from adapting import QUICK
    from fake_engine import FakeEngine, fake_backend

    from nada_core.ui.context import AppContext

    made: list[AppContext] = []
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))

    def context(limits=QUICK, *, public=False, inline=None, folder=tmp_path / "jobs", **engine):
        fake = FakeEngine(**engine)
        app = AppContext(fake_backend(fake, folder), public=public, limits=limits, inline=inline)
        made.append(app)
        return app, fake

    yield context
    for app in made:
        app.shutdown()


@pytest.fixture
def photo(tmp_path):
    """The path of a square photo of one drawn face."""
    from apps import picture

    return picture(tmp_path)
