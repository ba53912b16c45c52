"""Start Ray on this machine, or join a cluster that runs; refuse in one sentence where that cannot be.

Ray is not a requirement: it is imported when workers are asked for, and here only.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nada_core.cluster.head import HeadWatch, reachable
from nada_core.errors import ClusterError, shown

__all__ = ["NAMESPACE", "Cluster", "add_cluster_flags", "connect", "cores_here", "ray_version", "room"]

#: Of Ray, in which all workers have their names.
NAMESPACE = "nada"
_LOOPBACK = "127.0.0.1"
_NO_TOKEN = (
    "The cluster at {} asks for a token that was not given. Copy ~/.ray/auth_token from the head's machine to this one and set "
    "RAY_AUTH_MODE=token."
)
_MOST = 512  # workers
_PATIENCE = 5.0  # seconds within which a head answers
#: Read when Ray is imported. Without it Linux takes the machine's outer address even where the inner one is asked for.
_INNER = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
#: Nothing is reported to anybody, Ray does not end the app a minute after the head has gone, and it is not started again, listening
#: everywhere, by a thread that still waits for a worker when the app ends.
_QUIET = {
    "RAY_ENABLE_AUTO_CONNECT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "1000000",
}


@dataclass(frozen=True)
class Cluster:
    """Hold a connection to Ray.

    Attributes:
        ray: the module.
        workers: how many workers it had room for when it was joined, or was asked for.
        cores: of each worker, at least 1.
        cards: GPUs of each worker, 0 or 1.
        address: as it was given; empty where Ray was started here, and ends with this process.
        head: knows whether its head still answers.
        most: how many were asked for; None: as many as there is room for.
    """

    ray: Any = field(repr=False)
    workers: int
    cores: int
    cards: int
    address: str = ""
    head: HeadWatch = field(default_factory=lambda: HeadWatch(""), repr=False)
    most: int | None = None

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        self.ray.shutdown()


def add_cluster_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``--workers`` and ``--cluster``, whose values :func:`connect` takes."""
    parser.add_argument("--workers", type=int, default=None, metavar="N", help="compute in N processes of this machine (needs Ray)")
    parser.add_argument("--cluster", default=None, metavar="ADDRESS", help="compute on a running Ray cluster: HOST:PORT, or auto")


def ray_version() -> str:
    """Return the version of Ray that is installed here; empty where none is. Does not import it."""
    from importlib import metadata

    try:
        return metadata.version("ray")
    except metadata.PackageNotFoundError:
        return ""


def cores_here() -> int:
    """Return how many cores this process may use: a container's share, not the host's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def connect(workers: int | None = None, address: str | None = None) -> Iterator[Cluster]:
    """Start Ray here for so many workers, or join the cluster at ``address``; leave it at the end.

    Ray that is started here listens on this machine's loopback only, and has no dashboard.

    Args:
        workers: with an address: at most so many; None: as many as it has room for, one a GPU, or one a machine where there is none.
        address: ``HOST:PORT`` of the head; ``auto``: of the cluster that this machine is part of.

    Raises:
        ClusterError: Ray is not installed, the number or the address is unusable, nothing answers there, or HOME cannot be written.
    """
    if workers is not None and not 1 <= workers <= _MOST:
        raise ClusterError(f"{workers} workers; between 1 and {_MOST} are possible.")
    if workers is None and not address:
        raise ClusterError("Neither a number of workers nor a cluster's address was given. Give --workers N or --cluster ADDRESS.")
    if address:
        _check_address(address)
    ray = _ray({} if address and not _is_inner(address) else _INNER)
    _check_home()
    cluster = _joined(ray, address, workers) if address else _started(ray, workers or 1)
    try:
        yield cluster
    finally:
        cluster.close()


def room(cluster: Cluster) -> int:
    """Return how many workers the machines of a cluster have room for now: one a GPU, or one a machine where a worker needs none.

    Machines with fewer cores than a worker has are passed over. Where a number was asked for, it is the most, and a machine has several.
    """
    places = [node["Resources"] for node in cluster.ray.nodes() if node["Alive"]]
    if cluster.cards:
        found = sum(int(place.get("GPU", 0)) for place in places)
    else:
        shares = [int(place.get("CPU", 0)) // cluster.cores for place in places]
        found = sum(shares) if cluster.most is not None else sum(share > 0 for share in shares)
    return found if cluster.most is None else min(found, cluster.most)


def _ray(more: Mapping[str, str]) -> Any:
    for name, value in {**_QUIET, **more}.items():
        os.environ.setdefault(name, value)
    logging.getLogger("ray").setLevel(logging.ERROR)  # it tells people about tokens; what goes wrong is told by its exceptions
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise ClusterError("Workers need Ray, which is not installed here. Run `pip install -r requirements-cluster.txt`.") from None


def _check_home() -> None:
    home = Path.home()
    try:
        with tempfile.TemporaryFile(dir=home):
            return
    except OSError:
        raise ClusterError(
            f"Ray keeps files in the home folder, and '{shown(str(home), 200)}' cannot be written. Set HOME to one that can."
        ) from None


def _check_address(address: str) -> None:
    """Refuse an address that is none, or where nothing answers, before Ray tries for half a minute."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ClusterError(f"'{shown(address)}' is no address of a cluster. Give HOST:PORT as `ray start --head` names it, or auto.")
    if not reachable(address, _PATIENCE):
        raise ClusterError(f"No cluster answers at {shown(address)}. Start one there: `ray start --head --port {port}`.")


def _is_inner(address: str) -> bool:
    """Tell whether a cluster is one that listens on this machine's loopback only, as those of ``--workers`` do."""
    if address == "auto":
        with contextlib.suppress(OSError):  # where Ray writes down what runs here
            address = Path(os.environ.get("RAY_TMPDIR") or "/tmp", "ray", "ray_current_cluster").read_text("utf-8")
    return address.strip().startswith(("127.", "localhost:", "[::1]:"))


def _started(ray: Any, workers: int) -> Cluster:
    cards = _cards_here()
    cores = max(1, cores_here() // workers)
    options = {"num_cpus": workers * cores, "num_gpus": cards, "_node_ip_address": _LOOPBACK, "include_dashboard": False}
    _init(ray, "local", "Ray could not be started on this machine: {}. Free memory or disk, or start the app without --workers.", **options)
    if (inner := ray.util.get_node_ip_address()) not in (_LOOPBACK, "::1"):
        ray.shutdown()
        raise ClusterError(
            f"Ray would listen at {inner}, where other machines reach it. Start the app with --workers in a process of its own."
        )
    with contextlib.suppress(OSError):  # Ray makes it readable for everybody on this machine
        (Path.home() / ".ray" / "auth_token").chmod(0o600)
    return Cluster(ray, workers, cores, int(cards >= workers), head=_head(ray), most=workers)


def _joined(ray: Any, address: str, workers: int | None) -> Cluster:
    _init(
        ray,
        address,
        "The cluster could not be joined: {}. Run `ray start --address ADDRESS` on this machine first, with the same version of Ray.",
    )
    places = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cards = sum(int(place.get("GPU", 0)) for place in places)
    cores = [int(place.get("CPU", 0)) for place in places if place.get("CPU", 0) >= 1]
    found = cards or len(cores)
    if not found:
        ray.shutdown()
        raise ClusterError(
            f"The cluster at {shown(address)} has no machine that computes. Start one: `ray start --address {shown(address)}`."
        )
    wanted = workers or found
    return Cluster(ray, wanted, _share(cores, wanted), int(bool(cards)), address, _head(ray), workers)


def _head(ray: Any) -> HeadWatch:
    return HeadWatch(ray.get_runtime_context().gcs_address)


def _share(cores: list[int], workers: int) -> int:
    """Return the most cores that each of so many workers can have on these machines, at least 1."""
    return max((share for share in range(1, max(cores, default=1) + 1) if sum(own // share for own in cores) >= workers), default=1)


def _cards_here() -> int:
    import torch

    return torch.cuda.device_count()


def _init(ray: Any, address: str, sentence: str, **options: Any) -> None:
    try:
        ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, logging_level="ERROR", configure_logging=False, **options)
    except Exception as error:  # noqa: BLE001 - Ray raises many kinds, and all but one mean the same here
        if type(error).__name__ == "AuthenticationError":
            raise ClusterError(_NO_TOKEN.format(shown(address))) from None
        raise ClusterError(sentence.format(shown(str(error).strip() or type(error).__name__, 160).rstrip("."))) from None
