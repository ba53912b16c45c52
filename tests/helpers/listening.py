"""Find at which addresses this process and those it started listen, from what Linux says of them."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import sys
from pathlib import Path

__all__ = ["listening"]

_LISTEN = "0A"  # the state of a socket in /proc/net/tcp


def listening() -> set[str]:
    """Return the addresses, without ports. Raises AssertionError where nothing listens: then nothing was looked at."""
    mine, found = _sockets(_family()), set()
    for table in ("tcp", "tcp6"):
        for row in Path("/proc/net", table).read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == _LISTEN and fields[9] in mine:
                found.add(_address(fields[1].partition(":")[0]))
    assert found
    return found


def _family() -> set[int]:
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    family = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _sockets(processes: set[int]) -> set[str]:
    inodes = set()
    for process in processes:
        with contextlib.suppress(OSError):
            for entry in Path(f"/proc/{process}/fd").iterdir():
                with contextlib.suppress(OSError):
                    if found := re.fullmatch(r"socket:\[(\d+)\]", str(entry.readlink())):
                        inodes.add(found[1])
    return inodes


def _address(words: str) -> str:
    raw = b"".join(bytes.fromhex(words[at : at + 8])[:: -1 if sys.byteorder == "little" else 1] for at in range(0, len(words), 8))
    address = ipaddress.ip_address(raw)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
