"""Choose where rows are done, as a command line asks for it (:func:`nada_core.cluster.connect.add_cluster_flags`)."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator

from nada_core.cluster.networks import Networks, named_networks
from nada_core.rows.run import Executor, InProcess
from nada_core.worlds import check_world

__all__ = ["asked_networks", "executor_for"]


def asked_networks(args: argparse.Namespace, encoder: str | None = None) -> tuple[str | None, Networks]:
    """Return the world and the networks that a command line asks for, as they are known where its work is done.

    Raises:
        OptionsError: no such world. GeneratorError, EncoderError: workers are to have a file that is not here.
    """
    if args.workers is None and args.cluster is None:
        return args.world, Networks(args.base, encoder)
    return check_world(args.world) or None, named_networks(args.base, encoder)  # nor is the environment of this process theirs


@contextlib.contextmanager
def executor_for(workers: int | None = None, cluster: str | None = None) -> Iterator[Executor]:
    """Yield this process, or the workers that are asked for: so many here, or those of a cluster.

    Raises:
        ClusterError: as :func:`nada_core.cluster.connect.connect`.
    """
    if workers is None and cluster is None:
        yield InProcess()
        return
    from nada_core.cluster.connect import connect
    from nada_core.rows.on_ray import OnRay

    with connect(workers, cluster) as joined:
        yield OnRay(joined)
