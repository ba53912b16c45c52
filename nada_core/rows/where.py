"""Choose where rows are done, as a command line asks for it (:func:`nada_core.cluster.connect.add_cluster_flags`)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from nada_core.rows.run import Executor, InProcess

__all__ = ["executor_for"]


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
