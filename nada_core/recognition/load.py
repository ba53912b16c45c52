"""Load ArcFace from its published file, ``model_ir_se50.pth`` of InsightFace_Pytorch: a bare state dict."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from nada_core.assets.store import fetch, state
from nada_core.errors import GeneratorError, few, shown
from nada_core.inversion.ir_se50_files import BACKBONE, STEM, fitting, in_our_names, read_file
from nada_core.recognition.arcface import ArcFace

__all__ = ["ARCFACE", "find_arcface", "load_arcface", "read_arcface"]

#: The asset its weights are.
ARCFACE = "arcface-ir-se50"
_KIND = "ArcFace's recogniser on IR-SE50 for faces of 112 px"
_EXPECTED = f"the state dict of {_KIND} ('input_layer.*', 'body.*' and 'output_layer.*'), as in model_ir_se50.pth"
_PARTS = (*BACKBONE, (re.compile(r"output_layer\."), "head."))


def read_arcface(path: Path) -> dict[str, Tensor]:
    """Return the file's tensors in this project's names. Nothing in a file can run.

    Raises:
        GeneratorError: missing, damaged, asks for code to be run, or holds something else; the message says what.
    """
    data = read_file(path, "recogniser", _EXPECTED)
    file = shown(path.name)
    if STEM not in data:
        raise GeneratorError(f"'{file}' holds {'the entries ' + few(data) if data else 'nothing'}; expected {_EXPECTED}.")
    if wrong := [name for name, value in data.items() if not isinstance(name, str) or not isinstance(value, Tensor)]:
        raise GeneratorError(f"'{file}' holds no tensor under {few(wrong)}; expected {_EXPECTED}.")
    return in_our_names(data, _PARTS)


def load_arcface(weights: str | Path | None = None, device: torch.device | str = "cpu") -> ArcFace:
    """Return the recogniser, frozen.

    Args:
        weights: its file; by default the asset, which is fetched.

    Raises:
        AssetError: the weights could not be fetched.
        GeneratorError: the file is missing, damaged, of another kind, or does not fit.
    """
    path = Path(weights) if weights is not None else fetch(ARCFACE)
    state = read_arcface(path)
    with torch.device("meta"):  # shapes only
        network = ArcFace()
    network.load_state_dict(fitting(network, state, _KIND, shown(path.name)), assign=True)
    return network.eval().requires_grad_(False).to(device)


def find_arcface(device: torch.device | str = "cpu", fetch: bool = False) -> ArcFace | None:
    """Return ArcFace where its file is on this machine; None where it is not and may not be fetched.

    Raises:
        AssetError: it could not be fetched; GeneratorError: its file cannot be used.
    """
    found = state(ARCFACE, verify=True)
    if found.absent and not fetch:
        return None
    return load_arcface(None if found.absent else found.path, device)
