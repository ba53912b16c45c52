"""Make what a browser needs to wear students: the page's own files, networks, codes, and the lists that name them.

The app serves these, and a folder with the same files stands alone.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import numpy as np
import torch

from nada_core.assets import fetch
from nada_core.assets.checksums import sha256_of_tensors
from nada_core.students.export_onnx import network_onnx
from nada_core.students.files import StyleStudent
from nada_core.students.network import SIDE, Student
from nada_core.students.web_page import MIRROR_CSS, PAGE_FILES, RUNTIME, WEB, panel_html
from nada_core.styles.names import style_heading

__all__ = ["check_json", "code_bytes", "network_name", "style_entry", "web_files"]

_ALONE = ("index.html", "page.css", "start.js")
_WASM = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
_PLACES = 64  # pixels that a browser's answer is compared at


@functools.lru_cache(maxsize=64)
def network_name(network: Student) -> str:
    """Return a network's name for browsers, which tells its weights."""
    return sha256_of_tensors(network.state_dict())[:24]


def code_bytes(student: StyleStudent) -> bytes:
    """Return a style's own numbers, ``code_size`` float32 in little-endian order."""
    return student.code.detach().cpu().numpy().astype("<f4").tobytes()


def style_entry(name: str, title: str, network: str, code: str, picture: str | None = None) -> dict[str, Any]:
    """Return what the list of styles says of one."""
    return {"name": name, "title": title, "network": network, "code": code, "picture": picture}


@torch.no_grad()
def check_json(network: Student) -> bytes:
    """Return what a network answers to a made-up face and code: a browser that gets something else must not show faces.

    The made-up numbers are those of worker.js.
    """
    codes = network.code_size
    face = ((torch.arange(3 * SIDE * SIDE) * 7) % 511).float() / 255 - 1
    code = ((torch.arange(codes) * 37) % 101).float() / 500 - 0.1
    planes = [plane.flatten() for plane in network.change(face.reshape(1, 3, SIDE, SIDE), code[None])]
    places = np.linspace(0, len(planes[0]) - 1, _PLACES).astype(int)
    values = [round(plane[int(place)].item(), 5) for plane in planes for place in places]
    return json.dumps({"codes": codes, "places": places.tolist(), "values": values}).encode()


def web_files(student: StyleStudent, texts: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a folder that any web server can show: (path, content).

    Args:
        texts: further files, by name.

    Raises:
        AssetError: the runtime could not be fetched.
    """
    runtime, name = fetch(RUNTIME), network_name(student.network)
    title = style_heading(student.card.name, student.card.prompt)
    entry = style_entry(student.card.name, title[:1].upper() + title[1:], name, f"codes/{student.card.style[:24]}.bin")
    listed = {
        "runtimes": {"wasm": f"runtime/{_WASM[0]}", "webgpu": None},
        "networks": {name: {"file": f"networks/{name}.onnx", "check": f"networks/{name}.json"}},
        "styles": [entry],
    }
    yield "styles.json", json.dumps(listed, indent=1).encode()
    yield entry["code"], code_bytes(student)
    yield f"networks/{name}.onnx", network_onnx(student.network)
    yield f"networks/{name}.json", check_json(student.network)
    for file in _WASM:
        yield f"runtime/{file}", (runtime / file).read_bytes()
    for file in (*PAGE_FILES, MIRROR_CSS.name, *_ALONE):
        content = (WEB / file).read_text("utf-8")
        if file == "index.html":
            content = content.replace("{title}", escape(f"{entry['title']}, live")).replace("{panel}", panel_html())
        yield file, content.encode()
    for file, text in texts.items():
        yield file, text.encode()
