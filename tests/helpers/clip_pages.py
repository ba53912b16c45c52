"""A private page whose starter does not know the words, a Hub that has CLIP, and the engine that CLIP then is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nada_core.assets.store import REGISTRY
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.hub_stand_in import Hub, Repo, hub_serving

CLIP = os.urandom(1 << 18)  # what the Hub has in its place: fake engines read nothing


class ClipEngine(FakeEngine):
    """The starter's generator with CLIP: any words will do."""

    def __init__(self, **more) -> None:
        super().__init__(**{"delay": 0.0, "world": "mixed", "world_reason": "asked for: encoder ViT-B-32", "reads": "ViT-B-32"} | more)

    def concepts(self):
        return []

    def adapt(self, prompt, steps=None, *, options=None, images=None, person=None, resume=None):
        self.options = options
        return self._steps(prompt, options, person)


@contextmanager
def clip_hub(folder, patch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A machine without CLIP, and a Hub with it that can be reached."""
    for name in list(os.environ):
        if name.upper().endswith("_PROXY") or name in {"NADA_ASSETS", "NADA_OFFLINE", "HF_HUB_OFFLINE", "NADA_WORLD"}:
            patch.delenv(name)
    patch.setenv("NADA_CACHE", str(folder / "cache"))
    for name, value in {"HF_HUB_CACHE": str(folder / "hub"), "HF_HUB_OFFLINE": False, "DOWNLOAD_CHUNK_SIZE": 1 << 14}.items():
        patch.setattr(f"huggingface_hub.constants.{name}", value)
    with hub_serving() as hub:
        patch.setenv("HF_ENDPOINT", hub.url)
        source = REGISTRY["clip-vit-b-32"].sources[0]
        hub.repos[source.repo] = Repo({source.filename: CLIP})
        yield hub
