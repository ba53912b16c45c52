"""List the workers of every app on a cluster, for ``doctor``."""

from __future__ import annotations

import json
from typing import Any

from nada_core.cluster.connect import NAMESPACE, Cluster

__all__ = ["CONTROL", "WORKER", "listing"]

#: The threads of a worker that answer while it works.
CONTROL = "control"
#: How the names of workers begin.
WORKER = "nada-worker-"
_PATIENCE = 5.0  # seconds within which a worker says what it does, however busy it is


def listing(cluster: Cluster) -> list[dict[str, Any]]:
    """Return what each worker says: ``name``, ``doing``, and where it could be asked ``host``, ``pid``, ``product``, ``cores``."""
    ray = cluster.ray
    found = ray.util.list_named_actors(all_namespaces=True)
    names = sorted(one["name"] for one in found if one["namespace"] == NAMESPACE and one["name"].startswith(WORKER))
    return [{"name": name, **_said(ray, name)} for name in names]


def _said(ray: Any, name: str) -> dict[str, Any]:
    try:
        actor = ray.get_actor(name, namespace=NAMESPACE)
        return json.loads(ray.get(actor.doing.options(concurrency_group=CONTROL).remote(), timeout=_PATIENCE))
    except ray.exceptions.GetTimeoutError:  # at work it answers
        return {"doing": "starting, or does not answer"}
    except (ray.exceptions.RayError, ValueError):  # it has just died
        return {"doing": "does not answer"}
