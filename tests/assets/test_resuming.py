"""Downloads that break, are stopped, and go on, through the real Hub client against a server on the loopback."""

from __future__ import annotations

import hashlib
import os

import pytest

from nada_core.assets.registry import Asset, AssetFile
from nada_core.assets.resuming import download_steps
from nada_core.assets.sources import HubFile
from nada_core.assets.store import REGISTRY, state
from nada_core.errors import AssetError
from nada_core.system.cache import cache_folder
from tests.helpers.hub_stand_in import Repo, hub_serving
from tests.helpers.loopback import dead_port

pytestmark = pytest.mark.heavy

DATA = os.urandom(1 << 20)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub with the one file of an asset, and a machine that has nothing."""
    for name in list(os.environ):
        if name.upper().endswith("_PROXY") or name in {"NADA_ASSETS", "NADA_OFFLINE", "HF_HUB_OFFLINE"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("NADA_CACHE", str(tmp_path / "cache"))
    for name, value in {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": False, "DOWNLOAD_CHUNK_SIZE": 1 << 16}.items():
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)
    asset = Asset("big", "a big file", "MIT", (AssetFile("w.bin"),), (HubFile("someone/model", "w.bin"),), world="full")
    monkeypatch.setitem(REGISTRY, "big", asset)
    with hub_serving() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        running.repos["someone/model"] = Repo({"w.bin": DATA})
        yield running


def parts():
    return [path.stat().st_size for path in cache_folder().glob("*.part")]


def whole(steps):
    """The path that a download returns, and what it said on the way."""
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return end.value, seen


def test_a_file_is_fetched_and_is_then_here(hub):
    path, seen = whole(download_steps("big", tick=0.01))
    assert path.read_bytes() == DATA and seen and parts() == []
    assert state("big").status == "cached" and state("big").checksum == "recorded on first use"
    asked = len(hub.requests)
    assert whole(download_steps("big")) == (path, []) and len(hub.requests) == asked


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub):
    hub.breaks = [300_000, 300_000]
    path, _ = whole(download_steps("big", tick=0.01))
    assert path.read_bytes() == DATA
    starts = [start for start in hub.starts if start]
    assert len(starts) == 2 and 0 < starts[0] < starts[1], "each went on"


def test_what_breaks_for_good_is_said_and_the_next_try_goes_on_there(hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    hub.breaks = [400_000] + [0] * 50
    with pytest.raises(AssetError, match=r"a big file broke off after 0 MB.*They are kept: try again"):
        whole(download_steps("big", tick=0.01))
    (kept,) = parts()
    assert 0 < kept < len(DATA)
    hub.breaks.clear()
    path, _ = whole(download_steps("big", tick=0.01))
    assert path.read_bytes() == DATA and hub.starts[-1] == kept


def test_whoever_stops_keeps_what_is_here(hub):
    hub.held.clear()  # the server waits in the middle of the file
    hub.hold_at = 500_000
    steps = download_steps("big", tick=0.01)
    for received in steps:
        if received.done:
            break
    assert received.total == len(DATA)
    steps.close()
    hub.held.set()
    path, _ = whole(download_steps("big", tick=0.01))
    assert path.read_bytes() == DATA and hub.starts[-1] > 0


def test_another_version_is_not_glued_to_what_is_here(hub):
    cache_folder().mkdir()
    (cache_folder() / "big-0123456789abcdef.part").write_bytes(b"of an older one")
    path, _ = whole(download_steps("big", tick=0.01))
    assert path.read_bytes() == DATA and parts() == []


def test_what_arrives_damaged_is_not_kept(hub):
    cache_folder().mkdir()
    (cache_folder() / f"big-{hashlib.sha256(DATA).hexdigest()[:16]}.part").write_bytes(b"x" * 1000)
    with pytest.raises(AssetError, match="what arrived is damaged"):
        whole(download_steps("big", tick=0.01))
    assert parts() == [] and state("big").absent


def test_without_a_connection_it_is_one_sentence(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{dead_port()}")
    with pytest.raises(AssetError, match=r"^a big file could not be fetched: no connection to 127.0.0.1. Try again when"):
        next(download_steps("big"))
    monkeypatch.setenv("NADA_OFFLINE", "1")
    with pytest.raises(AssetError, match="working offline"):
        next(download_steps("big"))
    assert hub.requests == []
