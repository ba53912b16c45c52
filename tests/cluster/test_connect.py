"""Joining a cluster: what is refused, each in one sentence, before Ray is asked; and with Ray, what listens where."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from nada_core.cluster import connect as module
from nada_core.cluster.connect import connect
from nada_core.errors import ClusterError


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    """What is set for Ray goes with the test."""
    monkeypatch.setattr(module.os, "environ", dict(module.os.environ))


def refused(**wish) -> str:
    with pytest.raises(ClusterError) as error, connect(**wish):
        raise AssertionError("it was taken")
    sentence = str(error.value)
    assert "\n" not in sentence and "Traceback" not in sentence
    return sentence


@pytest.mark.parametrize("workers", [0, -1, 513])
def test_a_number_of_workers_out_of_range(workers):
    assert refused(workers=workers) == f"{workers} workers; between 1 and 512 are possible."


def test_neither_a_number_nor_an_address():
    assert "--workers N" in refused()


@pytest.mark.parametrize("address", ["head", "head:", ":6379", "head:port", "head:0", "head:65536", "head:-1"])
def test_what_is_no_address(address):
    assert refused(address=address).startswith(f"'{address}' is no address of a cluster.")


def test_where_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert refused(address=f"127.0.0.1:{port}") == (
        f"No cluster answers at 127.0.0.1:{port}. Start one there: `ray start --head --port {port}`."
    )


def test_without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    assert refused(workers=2) == "Workers need Ray, which is not installed here. Run `pip install -r requirements-cluster.txt`."


def test_a_home_that_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", pytest)  # is not reached
    missing = tmp_path / "gone"
    monkeypatch.setattr(module.Path, "home", lambda: missing)
    assert refused(workers=2) == (f"Ray keeps files in the home folder, and '{missing}' cannot be written. Set HOME to one that can.")


@pytest.mark.parametrize(
    ("cores", "workers", "share"),
    [([2], 2, 1), ([8], 2, 4), ([8, 8], 2, 8), ([8, 4], 3, 4), ([2], 5, 1), ([], 2, 1)],
)
def test_cores_are_shared_as_machines_have_them(cores, workers, share):
    assert module._share(cores, workers) == share


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (type("AuthenticationError", (Exception,), {})("RPC error: InvalidAuthToken ..."), "asks for a token that was not given."),
        (ConnectionError("Failed to connect\nto it."), "The cluster could not be joined: Failed to connect to it. Run `ray start"),
    ],
)
def test_a_cluster_that_cannot_be_joined(error, sentence, monkeypatch):
    def init(**options):
        raise error

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(init=init))
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert sentence in refused(address=f"127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.parametrize(
    ("address", "running", "inner"),
    [
        ("127.0.0.1:6379", None, True),
        ("localhost:6379", None, True),
        ("head:6379", "127.0.0.1:1", False),
        ("auto", "127.0.0.1:40001\n", True),
        ("auto", "192.0.2.2:6379", False),
        ("auto", None, False),
    ],
)
def test_a_cluster_on_loopback_is_known(address, running, inner, monkeypatch, tmp_path):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    if running is not None:
        (tmp_path / "ray").mkdir()
        (tmp_path / "ray" / "ray_current_cluster").write_text(running)
    assert module._is_inner(address) is inner


def test_the_app_does_without_ray():
    """No module but this one names Ray where it is imported."""
    root = Path(module.__file__).parents[1]
    named = [file.name for file in root.rglob("*.py") if any(line.strip().startswith(("import ray", "from ray")) for line in file.open())]
    assert named == []
