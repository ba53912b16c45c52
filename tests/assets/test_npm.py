"""Files out of an npm package's archive, from a registry on a loopback port."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile

import pytest

from nada_core.assets.registry import Asset, AssetFile
from nada_core.assets.sources import NpmPackage
from nada_core.assets.store import REGISTRY, fetch, state
from nada_core.errors import AssetError
from nada_core.system.cache import cache_folder
from tests.helpers.loopback import serving

CONTENT = b"export const one = 1;\n" * 50


def archive(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as packed:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))
    return target.getvalue()


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A registry with one small package, and nothing of this machine's settings."""
    for name in list(os.environ):
        if name.upper().startswith("NPM_CONFIG_") or name.upper().endswith("_PROXY") or name in {"NADA_ASSETS", "NADA_OFFLINE"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("NADA_CACHE", str(tmp_path / "cache"))
    files = (AssetFile("one.mjs", len(CONTENT), hashlib.sha256(CONTENT).hexdigest()),)
    asset = Asset("tiny-web", "one small file", "MIT", files, (NpmPackage("tiny-web", "1.2.3", "package/dist", 400),))
    monkeypatch.setitem(REGISTRY, "tiny-web", asset)
    with serving() as server:
        server.files["tiny-web-1.2.3.tgz"] = archive({"package/dist/one.mjs": CONTENT, "package/dist/other.mjs": b"2"})
        monkeypatch.setenv("npm_config_registry", server.url + "/")
        yield server


def refusal() -> str:
    with pytest.raises(AssetError) as caught:
        fetch("tiny-web", progress=False)
    assert not (cache_folder() / "tiny-web").exists()
    assert not list(cache_folder().glob("partial-*"))
    return str(caught.value)


def test_a_file_is_fetched_once_and_checked(registry):
    assert "npm registry" in state("tiny-web").detail
    path = fetch("tiny-web", progress=False)
    assert path.read_bytes() == CONTENT
    assert registry.requests == ["GET /tiny-web/-/tiny-web-1.2.3.tgz"]
    assert fetch("tiny-web", progress=False) == path and len(registry.requests) == 1
    assert state("tiny-web").status == "cached"
    assert [one.name for one in (cache_folder() / "tiny-web").iterdir()] == ["one.mjs"], "nothing else of the archive"


def test_an_archive_put_by_hand_needs_no_network(registry, tmp_path, monkeypatch):
    (tmp_path / "tiny-web-1.2.3.tgz").write_bytes(registry.files["tiny-web-1.2.3.tgz"])
    monkeypatch.setenv("NADA_ASSETS", str(tmp_path))
    monkeypatch.setenv("NADA_OFFLINE", "1")
    assert fetch("tiny-web", progress=False).read_bytes() == CONTENT
    assert not registry.requests


def test_what_cannot_be_fetched_is_one_sentence(registry, monkeypatch):
    name = "tiny-web-1.2.3.tgz"
    good = registry.files[name]
    for data, said in (
        (good[: len(good) // 2], "arrived damaged"),
        (b"no archive", "arrived damaged"),
        (archive({"package/other.mjs": CONTENT}), "does not hold what was expected"),
        (archive({"package/dist/one.mjs": CONTENT + b"!"}), "not the expected file"),
    ):
        registry.files[name] = data
        assert said in refusal()
    del registry.files[name]
    assert "answered 404" in refusal() and "npm pack tiny-web@1.2.3" in refusal()
    monkeypatch.setenv("npm_config_registry", "file:///tmp")
    assert "no address of a server" in refusal()
    monkeypatch.setenv("NADA_OFFLINE", "1")
    assert "working offline" in refusal()
