"""Where pip would look for packages, read as pip reads it."""

from __future__ import annotations

import os

import pytest

from nada_core.assets.pip_download import PYPI, pip_settings


@pytest.fixture(autouse=True)
def no_settings(tmp_path, monkeypatch):
    """No settings of this machine's pip."""
    for name in list(os.environ):
        if name.upper().startswith("PIP_"):
            monkeypatch.delenv(name)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.setenv(name, str(tmp_path))


def test_pip_settings_of_a_plain_machine(monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    found = pip_settings()
    assert found.indexes == (PYPI,)
    assert not found.has_local
    assert found.proxy is None


def test_pip_settings_are_read_as_pip_reads_them(tmp_path, monkeypatch):
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://mirror.example/simple\nproxy = http://proxy.example:3128\n"
        "[download]\nextra-index-url = file:///srv/simple\n    https://other.example/simple\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    found = pip_settings()
    assert found.indexes == ("https://mirror.example/simple", "https://other.example/simple")
    assert found.has_local, "one of the indexes is a folder"
    assert found.proxy == "http://proxy.example:3128"
    monkeypatch.setenv("PIP_INDEX_URL", "http://mine.example/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    won = pip_settings()
    assert won.indexes == ("http://mine.example/simple",), "the environment wins"
    assert not won.has_local
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert pip_settings().indexes == ()


def test_broken_configuration_is_left_to_pip(tmp_path, monkeypatch):
    config = tmp_path / "pip.conf"
    config.write_bytes(b"\xff\xfe not an ini file")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    assert pip_settings() is not None
