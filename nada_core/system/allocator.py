"""Set glibc's allocator for large activations. No torch in here: a server calls this before anything starts a thread."""

from __future__ import annotations

import ctypes
import functools
import platform

__all__ = ["release_memory", "tune_cpu_allocator"]


@functools.cache
def tune_cpu_allocator() -> bool:
    """Let glibc keep freed blocks instead of returning them to the kernel. Returns whether it could be set.

    Activations of 10-60 MB are freed and allocated again many times a step; by default each is a fresh ``mmap`` whose pages fault in one by
    one. Keeping them makes a training step more than twice as fast. All threads share one arena: the others' heaps end at 64 MB, and what
    is larger would be mapped afresh whatever the thresholds say. No effect outside Linux with glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    m_trim_threshold, m_mmap_threshold, m_arena_max = -1, -3, -8
    libc = ctypes.CDLL("libc.so.6")
    return bool(libc.mallopt(m_mmap_threshold, 1 << 30) and libc.mallopt(m_trim_threshold, 2**31 - 1) and libc.mallopt(m_arena_max, 1))


def release_memory() -> bool:
    """Give what has been freed back to the kernel after all. Returns whether there was anything.

    For long lives: between two adaptations a process then holds a third of the memory, and blocks that stay cannot make the heap grow from
    run to run. The next step pays for it once, with a fifth of its time more. No effect outside Linux with glibc.
    """
    return platform.libc_ver()[0] == "glibc" and bool(ctypes.CDLL("libc.so.6").malloc_trim(0))
