"""Choose the world (starter, full or mixed set of networks) that an engine uses, and explain the choice in a sentence.

*Starter*: everything that needs no hub. *Full*: CLIP, StyleGAN2-FFHQ and ReStyle-e4e. *Mixed*: some of each, or a generator of the user's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nada_core.assets.network import offline_asked, reach
from nada_core.assets.sources import hub_endpoint
from nada_core.assets.store import REGISTRY, fetch, state
from nada_core.errors import AssetError, OptionsError, shown

__all__ = ["STARTER", "WORLDS", "World", "check_world", "choose_world", "missing_for", "missing_for_full"]

WORLDS = ("starter", "full")
#: Stands for the starter's generator, encoder and inverter alike.
STARTER = "starter"
_FULL_BASE, _FULL_ENCODER, _FULL_INVERTER = "stylegan2-ffhq", "ViT-B-32", "restyle-e4e"
#: The asset that :data:`_FULL_ENCODER` is.
_FULL_ENCODER_ASSET = "clip-vit-b-32"
_ASK = "`--world full` or NADA_WORLD=full"


@dataclass(frozen=True)
class World:
    """Describe what an engine loads.

    Attributes:
        name: ``starter``, ``full`` or ``mixed``.
        reason: why this one, for people.
        base: ``starter``, an asset's name, or a generator's file.
        encoder: what :func:`nada_core.encoders.load.load_encoder` takes.
        inverter: ``starter``, a name that :func:`nada_core.inversion.load_inverter` takes, or ``none``: inversions start from the mean.
    """

    name: str
    reason: str
    base: str | Path
    encoder: str
    inverter: str


def check_world(world: str | None) -> str:
    """Return the world asked for here, or else by the environment variable ``NADA_WORLD``; empty where nobody asks.

    Raises:
        OptionsError: no such world.
    """
    asked = (os.environ.get("NADA_WORLD", "") if world is None else world).strip().lower()
    if (asked or world is not None) and asked not in WORLDS:
        raise OptionsError(f"There is no world '{shown(asked, 40)}'; there are {' and '.join(WORLDS)}.")
    return asked


def missing_for_full() -> list[str]:
    """Return names of the assets that the full world needs and this machine lacks; nothing is read or fetched."""
    needed = [name for name, asset in REGISTRY.items() if asset.world == "full" and not asset.optional]
    return [name for name in needed if state(name).absent]


def missing_for(world: World) -> list[str]:
    """Return names of what a world's parts need from the Hub and this machine does not have; nothing is fetched.

    Names of assets; weights of CLIP that are none are called by their tag and model.

    Raises:
        EncoderError: there is no such encoder.
    """
    from nada_core.encoders.load import missing_encoders  # late: it brings torch
    from nada_core.inversion.load import PHOTO_ENCODERS

    parts = (str(world.base), PHOTO_ENCODERS.get(world.inverter, ""))
    hub = [name for name in parts if name in REGISTRY and REGISTRY[name].world == "full" and state(name).absent]
    return hub + missing_encoders(world.encoder)


def choose_world(
    device: str,
    *,
    world: str | None = None,
    base: str | Path | None = None,
    encoder: str | None = None,
    inverter: str | None = None,
    download: bool = False,
) -> World:
    """Return the world that was asked for, or else the best one that this machine can have.

    Without a wish: the full world where its weights are on the machine, or where there is a GPU and they can be fetched; else the starter
    world. On a CPU they are not fetched unasked: two gigabytes, for steps that take many seconds each.

    Args:
        device: kind of the device that computes: ``cpu``, ``cuda``, ``mps``.
        world: one of :data:`WORLDS`; by default the environment variable ``NADA_WORLD``, and without it the automatic choice.
        base, encoder, inverter: replace that part, as in :class:`World`. With a generator from a file and no other wish the encoder is CLIP
            where that is on the machine.
        download: fetch what the automatic choice of the full world lacks; where that fails, the starter world is taken and says so.

    Raises:
        OptionsError: no such world.
    """
    asked = check_world(world)
    name, reason = (asked, f"the {asked} world was asked for") if asked else _automatic(device, download)
    parts: dict[str, str | Path] = {"base": STARTER, "encoder": STARTER, "inverter": STARTER}
    if name == "full":
        parts = {"base": _FULL_BASE, "encoder": _FULL_ENCODER, "inverter": _FULL_INVERTER}
    given = {"base": base, "encoder": encoder, "inverter": inverter}
    changed = {part: value for part, value in given.items() if value is not None and value != parts[part]}
    parts |= changed
    if "base" in changed and inverter is None:  # encoders for photos know one generator only
        parts["inverter"] = {STARTER: STARTER, _FULL_BASE: _FULL_INVERTER}.get(str(parts["base"]), "none")
    if changed:
        reason = f"asked for: {', '.join(f'{part} {_title(value)}' for part, value in changed.items())}"
        if str(parts["base"]) not in (STARTER, *REGISTRY) and encoder is None and parts["encoder"] == STARTER:
            parts["encoder"], why = _encoder_for_own(asked)
            reason += f"; {why}"
        name = _mixed(parts)
    return World(name, reason, parts["base"], str(parts["encoder"]), str(parts["inverter"]))


def _encoder_for_own(asked: str) -> tuple[str, str]:
    """Return the text-image encoder for a generator from a file, which may draw anything, and why."""
    if not asked and not state(_FULL_ENCODER_ASSET).absent:
        return _FULL_ENCODER, f"text is read by {_FULL_ENCODER}, which is on this machine: the starter's encoder knows human faces only"
    return (
        STARTER,
        f"text is read by the starter's encoder, which knows human faces only: for other pictures give `--encoder {_FULL_ENCODER}`",
    )


def _automatic(device: str, download: bool) -> tuple[str, str]:
    missing = missing_for_full()
    if not missing:
        slow = "; on a CPU its steps take many seconds each, `--world starter` is quick" if device == "cpu" else ""
        return "full", f"CLIP, StyleGAN2 and ReStyle-e4e are on this machine{slow}"
    why = f"what the full world needs is not on this machine ({', '.join(missing)})"
    if device == "cpu":
        return "starter", f"{why}, and without a GPU it is fetched only when asked for, by {_ASK}"
    if offline_asked("HF_HUB_OFFLINE"):
        return "starter", f"{why}, and the environment asks to work offline"
    if reach(hub_endpoint()) == "no":
        return "starter", f"{why}, and the Hugging Face Hub cannot be reached"
    if download and (failure := _fetch(missing)):
        return "starter", f"the full world's weights could not be fetched: {failure}"
    return "full", "there is a GPU, and the weights of CLIP, StyleGAN2 and ReStyle-e4e can be fetched from the Hub"


def _fetch(names: Sequence[str]) -> str:
    """Download what is missing; return the reason where that failed."""
    try:
        for name in names:
            fetch(name)
    except AssetError as error:
        return str(error)
    return ""


def _mixed(parts: dict[str, str | Path]) -> str:
    starters = {part for part in ("base", "encoder") if parts[part] == STARTER}
    return {0: "full", 2: "starter"}.get(len(starters), "mixed")


def _title(value: str | Path) -> str:
    """Return a part's name; of a file only its name, never its folder."""
    text = str(value)
    return text if text in REGISTRY or not Path(text).suffix else Path(text).name
