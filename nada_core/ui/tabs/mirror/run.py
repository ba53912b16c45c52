"""Find or make what the mirrors of pages ask for: the list of styles, networks, codes, the runtime. Nothing of a camera comes here."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nada_core.assets import fetch
from nada_core.assets.registry import REGISTRY
from nada_core.errors import NadaError
from nada_core.students.web_page import PAGE_FILES, RUNTIME, WEB
from nada_core.system.cache import cache_folder
from nada_core.system.files import write_bytes
from nada_core.ui.server.context import AppContext
from nada_core.ui.wording import style_title

if TYPE_CHECKING:  # they bring torch, which the page does without until it works
    from nada_core.students.files import StyleStudent
    from nada_core.styles.library import StyleEntry

__all__ = ["MirrorDesk", "MirrorFile"]

_MADE_BY = 1  # raise it when what is exported of a network changes, or browsers are served what is kept of it
_NUMBERS = re.compile(r"codes/[0-9a-f]{24}\.bin|networks/[0-9a-f]{24}\.(onnx|json)", re.ASCII)
_KINDS = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".json": "application/json"}


@dataclass(frozen=True)
class MirrorFile:
    """Hold a file as it is sent: gzipped, its type, and whether its name will always stand for the same."""

    packed: bytes
    kind: str
    lasting: bool


@dataclass
class MirrorDesk:
    """Answer the mirrors' pages of one app.

    Args:
        picture: returns the address of a style's small picture, if there is one.
    """

    picture: Callable[[AppContext, StyleEntry], str | None]
    _kept: dict[str, MirrorFile] = field(default_factory=dict)
    _students: dict[str, StyleStudent] = field(default_factory=dict)  # by the address of the code
    _found: dict[str, StyleStudent] = field(default_factory=dict)  # by the stamp of the style's file
    _making: threading.Lock = field(default_factory=threading.Lock)

    def styles(self, context: AppContext) -> MirrorFile:
        """Return the list of the styles that can be worn live, as styles.json; the runtime is fetched for it.

        Raises:
            NadaError: the engine or the runtime cannot be had, or no style has a student.
        """
        from nada_core.students.export_web import network_name, style_entry

        fetch(RUNTIME, progress=False)
        engine, _ = context.open()
        networks, styles = {}, []
        for entry in engine.style_entries():
            student = self._student(context, entry)
            if student is None:
                continue
            network, code = network_name(student.network), f"codes/{student.card.style[:24]}.bin"
            self._students[code] = student
            networks[network] = {"file": f"networks/{network}.onnx", "check": f"networks/{network}.json"}
            title = style_title(entry.card.name, entry.card.prompt, entry.card.title)
            styles.append(style_entry(entry.card.name, title, network, code, self.picture(context, entry)))
        if not styles:
            raise NadaError("No style of this server can be worn live yet. Make one with `python -m nada_core distil NAME`.")
        place = f"runtime/{_version()}"
        runtimes = {"wasm": f"{place}/ort.wasm.min.mjs", "webgpu": f"{place}/ort.jspi.min.mjs"}
        listed = {"runtimes": runtimes, "networks": networks, "styles": styles}
        return _packed("styles.json", json.dumps(listed).encode(), lasting=False)

    def file(self, context: AppContext, path: str) -> MirrorFile | None:
        """Return a file by its address, made on first use; None where there is none. Anything may be asked for.

        Raises:
            NadaError: it cannot be made.
        """
        if path == "styles.json":
            return self.styles(context)
        if path in PAGE_FILES:
            return _packed(path, (WEB / path).read_bytes(), lasting=False)
        if path not in self._kept and (path in _runtime_files() or _NUMBERS.fullmatch(path)):
            with self._making:
                content = None if path in self._kept else self._content(context, path)
                if content is not None:
                    self._kept[path] = _packed(path, content, lasting=True)
        return self._kept.get(path)

    def _content(self, context: AppContext, path: str) -> bytes | None:
        if path in _runtime_files():
            return (fetch(RUNTIME, progress=False) / Path(path).name).read_bytes()
        found = self._numbers(context, path)
        if found is None:  # an old page asks, and nobody has asked for the list since the server began
            self.styles(context)
            found = self._numbers(context, path)
        return found

    def _numbers(self, context: AppContext, path: str) -> bytes | None:
        """Return a code, a network, or what a network answers; None where no style that was listed has it."""
        from nada_core.students.export_web import check_json, code_bytes, network_name

        if path in self._students:
            return code_bytes(self._students[path])
        networks = {network_name(student.network): student.network for student in self._students.values()}
        network = networks.get(Path(path).stem)
        if network is None or not path.startswith("networks/"):
            return None
        if path.endswith(".json"):
            return context.worker.run(lambda: check_json(network))
        return self._exported(context, Path(path).stem, network) if path.endswith(".onnx") else None

    def _exported(self, context: AppContext, name: str, network: Any) -> bytes:
        """Return a network as an ONNX file; it takes some seconds to make, once on a machine."""
        from nada_core.students.export_onnx import network_onnx

        kept = cache_folder() / "mirror" / f"{name}-{_MADE_BY}.onnx"
        with contextlib.suppress(OSError):
            return kept.read_bytes()
        made = context.worker.run(lambda: network_onnx(network))
        with contextlib.suppress(NadaError):  # it is made again next time
            write_bytes(kept, made)
        return made

    def _student(self, context: AppContext, entry: StyleEntry) -> StyleStudent | None:
        """Return a style's student; where it has none it is looked for again next time, since one may have been made."""
        if entry.stamp not in self._found:
            engine, _ = context.open()
            student = context.worker.run(lambda: engine.students.find(engine.style(entry.card.name)))
            if student is None:
                return None
            self._found[entry.stamp] = student
        return self._found[entry.stamp]


def _version() -> str:
    return getattr(REGISTRY[RUNTIME].sources[0], "version", "0")


def _runtime_files() -> set[str]:
    return {f"runtime/{_version()}/{file.name}" for file in REGISTRY[RUNTIME].files}


def _packed(path: str, content: bytes, *, lasting: bool) -> MirrorFile:
    kind = _KINDS.get(Path(path).suffix, "application/octet-stream")
    return MirrorFile(gzip.compress(content, 9 if lasting else 5, mtime=0), kind, lasting)
