"""Report what this machine has: versions, device, world, every downloadable file, and what the full world lacks."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict
from importlib import metadata
from typing import Any

from nada_core.assets.network import offline_asked
from nada_core.assets.sources import local_folder
from nada_core.assets.store import REGISTRY, AssetState, state
from nada_core.cluster.connect import connect, cores_here, ray_version
from nada_core.cluster.listing import listing
from nada_core.system.cache import cache_folder
from nada_core.worlds import choose_world

__all__ = ["format_report", "report"]

_PACKAGES = (
    "torch",
    "torchvision",
    "gradio",
    "open_clip_torch",
    "safetensors",
    "numpy",
    "pillow",
    "dlib-bin",
    "face_recognition_models",
    "huggingface_hub",
)


def report(*, verify: bool = True, cluster: str | None = None) -> dict[str, Any]:
    """Return everything ``doctor`` shows, as plain values ready for JSON.

    Args:
        verify: read the files whose checksum was not compared yet (about a second, once).
        cluster: the address of one whose workers are listed.

    Raises:
        ClusterError: it cannot be joined.
    """
    workers = None if cluster is None else _workers(cluster)
    states = [state(name, verify=verify) for name in REGISTRY]
    device = _device()
    world = choose_world(device["kind"] if device["kind"] != "none" else "cpu")
    return {
        "versions": {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}", **_versions()},
        "device": device,
        "trial": _trial() if device["kind"] == "cpu" else None,
        "world": world.name,
        "world_reason": world.reason,
        "cache": str(cache_folder()),
        "local_folder": str(local_folder()) if local_folder() else None,
        "offline": offline_asked("HF_HUB_OFFLINE"),
        "assets": [asdict(found) for found in states],
        "ray": ray_version() or None,
        "workers": workers,
        "missing_for_starter": _missing(states, "starter"),
        "missing_for_full": _missing(states, "full"),
        "missing_optional": _missing(states, None),
    }


def format_report(found: dict[str, Any]) -> str:
    """Return the report of :func:`report` as text for a terminal."""
    versions, device = found["versions"], found["device"]
    lines = [f"python {versions['python']} on {versions['system']}"]
    lines += [f"  {name} {versions[name] or 'not installed'}" for name in _PACKAGES]
    lines.append(f"device: {device['kind']} ({device['name']}), {device['cores']} cores, memory {_gigabytes(device['memory'])}")
    if measured := found["trial"]:
        chosen = "bfloat16" if measured["bfloat16_is_faster"] else "float32"
        times = f"float32 {1000 * measured['float32']:.0f} ms, bfloat16 {1000 * measured['bfloat16']:.0f} ms"
        lines.append(f"numbers: {chosen}, as measured here for the same work: {times} ({measured['machine']})")
    lines += [f"world: {found['world']}: {found['world_reason']}", f"cache: {found['cache']}"]
    lines.append(
        f"ray: {found['ray']}" if found["ray"] else "ray: not installed; only workers in other processes need it (docs/cluster.md)"
    )
    if found["workers"] is not None:
        lines.append(f"workers: {'' if found['workers'] else 'none'}".rstrip())
        lines += [f"  {_worker(one)}" for one in found["workers"]]
    if found["local_folder"]:
        lines.append(f"NADA_ASSETS: {found['local_folder']}")
    if found["offline"]:
        lines.append("working offline, as asked by the environment")
    lines.append("files:")
    for asset in found["assets"]:
        said = f"about {asset['megabytes']} MB" if asset["megabytes"] else "size unknown"
        size = f"{asset['size'] / 1e6:.1f} MB" if asset["size"] else said
        optional = ", optional" if asset["optional"] else ""
        about = f"{asset['title']} ({asset['world']} world{optional}; {asset['source']})"
        lines.append(f"  {asset['name']:<21} {asset['status']:<10} {size:>12}  {about}")
        lines.append(f"  {'':<21} checksum: {asset['checksum']}; licence: {asset['licence']}")
        lines += [f"  {'':<21} {file}  sha256 {digest or '-'}" for file, digest in asset["sha256"].items()]
        if asset["status"] == "corrupt":
            lines.append(f"  {'':<21} {asset['detail']}")
    needed = {"missing_for_starter": "missing for the starter world", "missing_for_full": "missing for the full world"}
    for key, title in {**needed, "missing_optional": "missing, but optional: no world needs it, single features do"}.items():
        lines.append(f"{title}: {'nothing' if not found[key] else ''}".rstrip())
        lines += [f"  {entry['name']}: {entry['remedy']}" for entry in found[key]]
    return "\n".join(lines)


def _workers(address: str) -> list[dict[str, Any]]:
    with connect(address=address) as cluster:
        return listing(cluster)


def _worker(said: dict[str, Any]) -> str:
    place = f" on {said['host']}, process {said['pid']}, {said['cores']} cores, version {said['product']}" if "host" in said else ""
    return f"{said['name']}{place}: {said['doing']}"


def _missing(states: list[AssetState], world: str | None) -> list[dict[str, str]]:
    """Return the files that are not here: what a world needs, or with None the optional ones of both."""
    wanted = [found for found in states if found.absent and found.optional == (world is None) and world in (None, found.world)]
    return [{"name": found.name, "status": found.status, "remedy": found.detail} for found in wanted]


def _versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def _device() -> dict[str, Any]:
    kind, name, memory = "cpu", platform.processor() or platform.machine(), _memory()
    try:
        import torch
    except ImportError:  # doctor is what people run when something is broken
        return {"kind": "none", "name": "torch is not installed", "cores": cores_here(), "memory": memory}
    from nada_core.system.device import card_problem

    if torch.cuda.is_available() and (problem := card_problem()):
        return {"kind": kind, "name": f"{name}; {problem}", "cores": cores_here(), "memory": memory}
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        kind, name, memory = "cuda", properties.name, int(properties.total_memory)
    elif torch.backends.mps.is_available():
        kind, name = "mps", "Apple GPU (untested)"
    return {"kind": kind, "name": name, "cores": cores_here(), "memory": memory}


def _trial() -> dict[str, Any]:
    from nada_core.system.precision import trial

    return asdict(trial()) | {"bfloat16_is_faster": trial().bfloat16_is_faster}


def _memory() -> int | None:
    if sys.platform == "win32":
        return None
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None


def _gigabytes(size: int | None) -> str:
    return f"{size / 2**30:.1f} GiB" if size else "unknown"
