"""Say which version of the product this process runs, so that machines which would compute something else are refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import nada_core
from nada_core.assets.program import sources_digest
from nada_core.cluster.networks import is_sent, plain
from nada_core.errors import ClusterError

__all__ = ["Identity", "check_same", "product"]


@dataclass(frozen=True)
class Identity:
    """Hold what two machines must have in common for a style to come out the same.

    Attributes:
        product: version and a hash of the sources, see :func:`product`.
        base, base_hash: the generator's name, as other machines know it (:mod:`.networks`), and its content hash.
        encoder: the name of the text-image encoder, likewise.
    """

    product: str
    base: str
    base_hash: str
    encoder: str


@lru_cache(maxsize=1)
def product() -> str:
    """Return version and sources of this process's product, word lists included: ``0.1.0 (1a2b3c4d)``."""
    return f"{nada_core.__version__} ({sources_digest(Path(nada_core.__file__).parent)[:8]})"


def check_same(name: str, theirs: Identity, ours: Identity) -> None:
    """Refuse a worker that would compute something else.

    Args:
        name: of the worker, for the message.

    Raises:
        ClusterError: another version of the product, other base weights, or another encoder.
    """
    if theirs.product != ours.product:
        raise ClusterError(f"{name} has version {theirs.product} and this app {ours.product}. Install the same one on both.")
    if theirs.base_hash != ours.base_hash:
        changed = "Its file has changed since this app read it: start the app again."
        raise ClusterError(
            f"{name} has other weights of the generator {plain(ours.base)} ({theirs.base_hash[:8]}) than this app ({ours.base_hash[:8]}). "
            f"{changed if is_sent(ours.base) else 'Fetch or copy the same file to both.'}"
        )
    if theirs.encoder != ours.encoder:
        raise ClusterError(
            f"{name} has the encoder {plain(theirs.encoder)} and this app {plain(ours.encoder)}. Start both with the same one."
        )
