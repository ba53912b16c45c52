"""A head that has gone is noticed, one that is away for a moment is not."""

from __future__ import annotations

import socket
import time

import pytest

from nada_core.cluster.head import HeadWatch, reachable
from tests.helpers.adapting import wait_for


@pytest.mark.heavy
def test_a_head_that_goes():
    server = socket.create_server(("127.0.0.1", 0))
    address = f"127.0.0.1:{server.getsockname()[1]}"
    assert reachable(address, 5)
    watch = HeadWatch(address, look=0.01, patience=0.2)
    for _ in range(30):
        assert not watch.lost()
        time.sleep(0.02)
    server.close()
    assert not reachable(address, 5)
    wait_for(watch.lost)


def test_it_may_be_away_for_a_moment():
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    watch = HeadWatch(f"127.0.0.1:{port}", look=0.01, patience=1000.0)
    server.close()
    time.sleep(0.05)
    assert not watch.lost()
    with socket.create_server(("127.0.0.1", port)):
        time.sleep(0.05)
        assert not watch.lost()
