"""Networks are loaded once for the whole run; apps, jobs and photos are made anew for each test."""

from __future__ import annotations

import gc
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
from collections import Counter

import pytest

from nada_core.system.threads import wait_politely

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background of a shell; tests press Ctrl-C as people at a terminal do
    signal.signal(signal.SIGINT, signal.default_int_handler)
wait_politely()
gc.disable()  # until everything is collected: what importing makes stays, and looking through it for garbage takes a sixth of the time
# One of its own for each test process: Gradio names a file after its content, and an app that ends deletes it under another one's feet.
os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp(prefix="nada-tests-gradio-")
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported, here and in every process the tests start
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 0)):
    # threads of torch that wait for each other's cores cost half of the speed
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))


def pytest_ignore_collect(collection_path, config):
    """Leave out files all of whose tests have a mark that this run leaves out (`make check`): reading them takes longer than most tests."""
    if collection_path.suffix != ".py" or not collection_path.name.startswith("test_") or " or " in config.option.markexpr:
        return None
    marks = re.findall(r"^pytestmark = (.*)", collection_path.read_text(encoding="utf-8"), re.MULTILINE)
    left_out = set(re.findall(r"\bnot (\w+)", config.option.markexpr))
    return True if left_out & set(re.findall(r"pytest\.mark\.(\w+)", " ".join(marks))) else None


def pytest_collection_finish():
    """What is loaded by now stays: nothing of it need be looked through for garbage again and again, and the rest not every few calls."""
    gc.freeze()
    gc.set_threshold(50_000)
    gc.enable()


def pytest_collection_modifyitems(items):
    """Mark what needs the starter's weights, and put files with slow tests first, then those with many that need weights: the one that is
    begun last should not be the longest."""
    for item in items:
        if "starter_weights" in item.fixturenames:
            item.add_marker(pytest.mark.weights)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    weighty = Counter(item.path for item in items if item.get_closest_marker("weights"))
    items.sort(key=lambda item: (item.path not in slow, -weighty[item.path]))


def pytest_sessionfinish():
    if served := sys.modules.get("tests.helpers.served"):
        served.close_chromium()
    shutil.rmtree(os.environ["GRADIO_TEMP_DIR"], ignore_errors=True)


@pytest.fixture(scope="session")
def starter_weights():
    """For whatever reads the downloaded files of the starter world: `make check` leaves such tests out."""


@pytest.fixture(scope="session")
def engine(tmp_path_factory, starter_weights):
    from nada_core.engine import Engine

    return Engine("cpu", styles_folder=tmp_path_factory.mktemp("styles"))


@pytest.fixture(scope="session")
def generator(engine):
    return engine.generator


@pytest.fixture(scope="session")
def encoder(engine):
    return engine.encoder


@pytest.fixture(scope="session")
def open_clip():
    """The package, loaded by the first test that uses it: that takes two seconds, which the others need not pay."""
    import open_clip

    return open_clip


@pytest.fixture
def make_app(tmp_path, monkeypatch):
    """Makes contexts whose files all lie under tmp_path and whose jobs end with the test."""
    from nada_core.ui.app import make_context  # not at the top: Gradio takes seconds, also in the process that only hands out tests
    from nada_core.ui.server.context import AppContext
    from tests.helpers.adapting import QUICK
    from tests.helpers.fake_engine import FakeEngine, fake_backend

    made: list[AppContext] = []
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))

    def context(limits=QUICK, *, public=False, inline=None, folder=tmp_path / "jobs", crew=None, **engine):
        fake = FakeEngine(**engine)
        app = make_context(fake_backend(fake, folder), public=public, limits=limits, inline=inline, crew=crew)
        made.append(app)
        return app, fake

    yield context
    for app in made:
        app.shutdown()


@pytest.fixture
def caplog():
    """What is logged during a test."""
    from tests.helpers.caplog import Heard

    heard = Heard()
    logging.getLogger().addHandler(heard)
    yield heard
    logging.getLogger().removeHandler(heard)


@pytest.fixture
def photo(tmp_path):
    """The path of a square photo of one drawn face."""
    from tests.helpers.apps import picture

    return picture(tmp_path)
