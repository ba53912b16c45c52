"""Find and fetch styles on the Hugging Face Hub: ``hf:user/repo`` or ``hf:user/repo/file.safetensors``, either with ``@revision``.

For the command line and for Python, never for what comes from a web page. A file that is named in full is taken from the Hub client's
cache without a question. A repository alone is looked up where the Hub can be reached, since only the Hub knows how many styles it has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from nada_core.assets.network import offline_asked, reach
from nada_core.assets.sources import hub_endpoint
from nada_core.errors import StyleError, shown
from nada_core.styles.files import MAX_BYTES
from nada_core.styles.published import MAX_PUBLISHED_BYTES, PUBLISHED_SUFFIXES

__all__ = ["PREFIX", "REPOSITORY", "HubReference", "fetch_style_file", "hub_offline", "is_reference", "parse_reference", "refusals"]

PREFIX = "hf:"
SUFFIXES = (".safetensors", *PUBLISHED_SUFFIXES)
#: ``user/name``, as the Hub allows them.
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_REVISION = re.compile(r"\w[\w.-]{0,99}(/\w[\w.-]{0,99}){0,4}", re.ASCII)


@dataclass(frozen=True)
class HubReference:
    """Say where a style lies on the Hub. ``file`` None: the only one there is; ``revision`` None: the main branch."""

    repo: str
    file: str | None = None
    revision: str | None = None

    def __str__(self) -> str:
        return f"{PREFIX}{self.repo}{'/' + self.file if self.file else ''}{'@' + self.revision if self.revision else ''}"


def is_reference(text: str) -> bool:
    """Tell whether a style is named by its place on the Hub."""
    return text.startswith(PREFIX)


def parse_reference(text: str) -> HubReference:
    """Read ``hf:user/repo[/file][@revision]``.

    Raises:
        StyleError: something else, or a file that is no style by its ending.
    """
    place, at, revision = text.removeprefix(PREFIX).partition("@")
    parts = place.split("/")
    repo, file = "/".join(parts[:2]), "/".join(parts[2:])
    named = REPOSITORY.fullmatch(repo) is not None and all(_is_file_name(part) for part in parts[2:])
    if not named or ".." in text or "--" in repo or (at and not _REVISION.fullmatch(revision)):
        raise StyleError(f"'{shown(text)}' is no place on the Hub; it looks like hf:user/repo or hf:user/repo/file.safetensors@revision.")
    if file and not file.endswith(SUFFIXES):
        raise StyleError(f"'{shown(file)}' is no style file: on the Hub, styles end in {', '.join(SUFFIXES)}.")
    return HubReference(repo, file or None, revision or None)


def _is_file_name(part: str) -> bool:
    """Tell whether a part of a path looks like a name, in whatever script: styles are named by their titles."""
    letters = all(character in " .+()-_" or unicodedata.category(character)[0] in "LMN" for character in part)
    return letters and 0 < len(part) <= 121 and (part[0] == "_" or part[0].isalnum())


def fetch_style_file(text: str) -> Path:
    """Return the file that a reference names, downloaded where the cache does not have it. It is not opened.

    Raises:
        StyleError: no such repository or file (or none that this machine may see), several styles, too large, or offline: that takes at
            most about 2 s.
    """
    wanted = parse_reference(text)
    if wanted.file and (cached := _cached_file(wanted)):
        return cached
    if reason := hub_offline():
        return _only_cached(wanted, reason)
    from huggingface_hub import HfApi, hf_hub_download

    with refusals(wanted.repo):
        info = HfApi(endpoint=hub_endpoint()).model_info(wanted.repo, revision=wanted.revision, files_metadata=True, timeout=10)
        sizes = {entry.rfilename: entry.size for entry in info.siblings or []}
        file = _choose(wanted, sizes)
        _check_size(file, sizes[file])
        return Path(hf_hub_download(wanted.repo, file, revision=wanted.revision, endpoint=hub_endpoint()))


def hub_offline() -> str:
    """Return why the Hub cannot be asked, empty where it can; known within 1.5 s."""
    if offline_asked("HF_HUB_OFFLINE"):
        return "this machine works offline, as asked by the environment (NADA_OFFLINE or HF_HUB_OFFLINE)"
    if reach(hub_endpoint()) == "no":
        return f"there is no connection to {urlsplit(hub_endpoint()).hostname}"
    return ""


@contextmanager
def refusals(repo: str) -> Iterator[None]:
    """Say in this project's words what the Hub's client raises.

    Raises:
        StyleError: in place of any exception that is not this project's own.
    """
    from huggingface_hub import errors

    try:
        yield
    except StyleError:
        raise
    except errors.GatedRepoError as error:
        message = f"'{repo}' asks for its conditions to be accepted. Do so on its page on the Hub, then log in here: `hf auth login`."
        raise StyleError(message) from error
    except errors.RepositoryNotFoundError as error:
        raise StyleError(_unseen(repo)) from error
    except errors.RevisionNotFoundError as error:
        raise StyleError(f"'{repo}' has no such revision. Leave it out, or name a branch, a tag or a commit.") from error
    except errors.EntryNotFoundError as error:
        raise StyleError(f"'{repo}' has no such file any more. Look at its page on the Hub.") from error
    except errors.HfHubHTTPError as error:
        raise StyleError(_status(repo, getattr(error.response, "status_code", 0))) from error
    except Exception as error:  # the client raises a dozen unrelated classes: httpx's, xet's, OSError, ValueError
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise StyleError(f"'{repo}' could not be reached or stored ({reason}). Try again, or download the file by hand.") from error


def _status(repo: str, status: int) -> str:
    from huggingface_hub import get_token

    if status == 404 or (status == 401 and not get_token()):  # without a login, the Hub does not tell what is missing from what is private
        return _unseen(repo)
    if status == 401:
        return f"The Hub refused this machine's login for '{repo}': it is not valid, or not any more. Log in again: `hf auth login`."
    if status == 403:
        return f"This machine's login may not do that with '{repo}'. Log in with a token that may: `hf auth login`."
    return f"The Hub answered {status or 'something unknown'} for '{repo}'. Try again later."


def _unseen(repo: str) -> str:
    return f"There is no '{repo}' on the Hub, or it is private. Check the name, or log in as somebody who may see it: `hf auth login`."


def _choose(wanted: HubReference, names: Iterable[str]) -> str:
    """Return the one style file meant, of those a repository has."""
    styles = sorted(name for name in names if name.endswith(SUFFIXES))
    listed = ", ".join(shown(name) for name in styles[:8]) + (f" and {len(styles) - 8} more" if len(styles) > 8 else "")
    if wanted.file:
        if wanted.file not in styles:
            there = f"It has {listed}." if styles else "It has no style file at all."
            raise StyleError(f"'{wanted.repo}' has no file '{shown(wanted.file)}'. {there}")
        return wanted.file
    if not styles:
        raise StyleError(f"'{wanted.repo}' holds no style: none of its files ends in {', '.join(SUFFIXES)}.")
    if len(styles) > 1:
        raise StyleError(f"'{wanted.repo}' holds {len(styles)} files: {listed}. Name one: {HubReference(wanted.repo, styles[0])}.")
    return styles[0]


def _check_size(file: str, size: int | None) -> None:
    most = MAX_PUBLISHED_BYTES if file.endswith(PUBLISHED_SUFFIXES) else MAX_BYTES
    if size is not None and size > most:
        raise StyleError(f"'{shown(file)}' has {size >> 20} MB; such a style file has at most {most >> 20} MB. Nothing was downloaded.")


def _cached_file(wanted: HubReference) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(wanted.repo, wanted.file or "", revision=wanted.revision)
    return Path(found) if isinstance(found, str) else None


def _only_cached(wanted: HubReference, reason: str) -> Path:
    cached: Mapping[str, Path] = {} if wanted.file else _cached_styles(wanted)
    if not cached:
        raise StyleError(f"The style {wanted} is not on this machine, and {reason}. Connect it, or name a style file.")
    return cached[_choose(wanted, cached)]


def _cached_styles(wanted: HubReference) -> dict[str, Path]:
    """Return style files of one revision in the client's cache (its layout is documented: refs and snapshots)."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{wanted.repo.replace('/', '--')}"
    branch = wanted.revision or "main"
    try:
        commit = (folder / "refs" / branch).read_text().strip()
    except OSError:
        commit = branch
    snapshot = folder / "snapshots" / commit
    return {path.relative_to(snapshot).as_posix(): path for path in snapshot.rglob("*") if path.name.endswith(SUFFIXES)}
