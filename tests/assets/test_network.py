"""The probe must be quick about dead networks and must not call a working one dead."""

from __future__ import annotations

import os
import socket
import sys
import time

import pytest

from nada_core.assets.network import reach
from tests.helpers.loopback import dead_port
from tests.helpers.promptness import promptly


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in list(os.environ):
        if name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_open_and_closed_ports(listener):
    assert reach(f"http://127.0.0.1:{listener}/simple") == "yes"
    assert reach(f"http://localhost:{listener}") == "yes", "a name with an IPv6 address on which nobody listens is still online"
    assert reach(f"http://127.0.0.1:{dead_port()}") == "no"


def test_unresolvable_name_is_offline():
    assert promptly(lambda: reach("https://no-such-host.invalid/simple"), 2) == "no"


@pytest.mark.heavy
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a full backlog drops connections silently on Linux only")
def test_silent_host_is_given_up_in_time():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = []
        for _ in range(4):  # fill the backlog: later connections get no answer at all
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            waiting.append(client)
        started = time.monotonic()
        assert promptly(lambda: reach(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.6), 1.2) == "no"
        assert time.monotonic() - started > 0.5
        for client in waiting:
            client.close()


@pytest.mark.parametrize("url", ["file:///srv/simple", "git+ssh://host/x", "https://", "nonsense", "http://host:99999999"])
def test_what_cannot_be_judged_is_unknown(url):
    assert reach(url) == "unknown"


def test_proxy_is_probed_instead_of_the_target(listener, monkeypatch):
    assert reach("https://no-such-host.invalid", proxy=f"http://127.0.0.1:{listener}") == "yes"
    assert reach("https://no-such-host.invalid", proxy=f"127.0.0.1:{listener}") == "yes", "pip accepts proxies without a scheme"
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listener}")
    assert reach("https://no-such-host.invalid") == "yes"
    monkeypatch.setenv("no_proxy", "no-such-host.invalid")
    assert reach("https://no-such-host.invalid") == "no"
