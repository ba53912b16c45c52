"""Say what an app asks of its workers: the networks that it has itself, and the files of them that lie on its machine only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nada_core.cluster.identity import Identity, product
from nada_core.cluster.networks import named_networks
from nada_core.ui.server.context import AppContext

__all__ = ["Asked", "asked_of"]


@dataclass(frozen=True)
class Asked:
    """Hold what a worker must be.

    Attributes:
        identity: by the names under which other machines know networks.
        files: where Ray keeps those that are named there.
        since: when the app loaded its networks.
    """

    identity: Identity
    files: Mapping[str, Any] = field(default_factory=dict, repr=False)
    since: float = 0.0


def asked_of(context: AppContext, keep: Callable[[bytes], Any]) -> Asked:
    """Return what workers are asked for now.

    Args:
        keep: puts a file where workers find it.

    Raises:
        NadaError: the app has no engine, or a file of its networks is not there any more.
    """
    engine, world = context.open()
    networks = named_networks(world.base, world.encoder)
    identity = Identity(product(), str(networks.base), engine.base_hash, str(networks.encoder))
    return Asked(identity, {word: keep(content) for word, content in networks.files.items()}, world.since)
