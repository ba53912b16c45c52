"""Publish a style on the Hugging Face Hub: one repository with the file, a model card, and a picture where there is one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from nada_core.assets.registry import REGISTRY
from nada_core.assets.sources import hub_endpoint
from nada_core.errors import OptionsError, StyleError, shown
from nada_core.styles.files import StyleCard, load_card
from nada_core.styles.hub import PREFIX, REPOSITORY, hub_offline, refusals
from nada_core.styles.names import style_heading
from nada_core.system.files import slug

if TYPE_CHECKING:  # half a second to import
    from huggingface_hub import HfApi

__all__ = ["check_repository", "model_card", "push_style"]

# No text of a person's in here: it could end the front matter, or mean something in YAML.
_FRONT = """---
license: other
license_name: non-commercial-at-the-source
license_link: https://github.com/NVlabs/stylegan2/blob/master/LICENSE.txt
pipeline_tag: unconditional-image-generation
tags:
- stylegan2
- stylegan-nada
- nada-style
- ai-generated
---
"""


def check_repository(repo: str) -> str:
    """Return ``user/name``, stripped.

    Raises:
        OptionsError: something else.
    """
    repo = repo.strip()
    if not REPOSITORY.fullmatch(repo) or ".." in repo or "--" in repo:
        raise OptionsError(f"--repo is '{shown(repo)}'; it looks like user/name: letters, digits, dots, dashes and underscores.")
    return repo


def push_style(path: Path, repo: str, *, private: bool = False, thumbnail: Path | None = None) -> str:
    """Upload a style file with its card as README.md; returns the address of the repository's page.

    The repository is created where there is none. One that exists must hold nothing but this style: no other style, nobody's README.
    The login is the Hub client's own (``hf auth login`` or ``HF_TOKEN``). Never run against the Hub itself, only against a stand-in on
    the loopback that answers the client's requests; the client's route for large files was not part of that.

    Args:
        path: a style file; its card gives the name.
        private: only for those who may see the account's private repositories.
        thumbnail: a JPEG.

    Raises:
        OptionsError: ``repo`` is no ``user/name``.
        StyleError: not a style file, no connection, no login or one that may not write there, or the repository holds something else.
    """
    repo, card = check_repository(repo), load_card(path)
    if reason := hub_offline():
        raise StyleError(f"The style was not uploaded: {reason}.")
    from huggingface_hub import CommitOperationAdd, HfApi, get_token

    if not get_token():
        raise StyleError("There is no login to the Hub on this machine. Make a token with write access there, then run `hf auth login`.")
    name = slug(card.name)
    contents = {f"{name}.safetensors": path.read_bytes()}
    if thumbnail is not None:
        contents[f"{name}.jpg"] = thumbnail.read_bytes()
    contents["README.md"] = model_card(card, repo, f"{name}.jpg" if thumbnail is not None else None).encode()
    api = HfApi(endpoint=hub_endpoint())
    with refusals(repo):
        _prepare(api, repo, name, private)
        additions = [CommitOperationAdd(path_in_repo=file, path_or_fileobj=content) for file, content in contents.items()]
        api.create_commit(repo, operations=additions, commit_message=f"Style {name}")
    return f"{hub_endpoint()}/{repo}"


def _prepare(api: HfApi, repo: str, name: str, private: bool) -> None:
    """Create the repository, or make sure that the existing one is this style's."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        info = api.model_info(repo, timeout=10)
    except GatedRepoError:
        raise
    except RepositoryNotFoundError:
        api.create_repo(repo, private=private)
        return
    if private and not info.private:
        raise StyleError(f"'{repo}' exists and is public; nothing was uploaded. Choose another --repo, or make it private on its page.")
    there = {entry.rfilename for entry in info.siblings or []} - {".gitattributes"}
    own = {f"{name}.safetensors", f"{name}.jpg", "README.md"}
    other = sorted(there - own) or ([] if f"{name}.safetensors" in there else sorted(there))
    if other:
        raise StyleError(
            f"'{repo}' already holds '{shown(other[0])}', which is not this style's; nothing was uploaded. Choose another --repo."
        )


def model_card(card: StyleCard, repo: str, picture: str | None = None) -> str:
    """Return README.md for the style's repository: YAML front matter as the Hub reads it, then what the style is and how to wear it.

    Args:
        picture: name of an image beside it.
    """
    facts = {
        "Prompt": card.prompt,
        "From": card.source,
        "Steps": card.steps or "not known",
        "Base generator": f"{card.base}, hash {card.base_hash[:16]}",
        "Text-image encoder": card.encoder or "not known",
        "Seed": card.seed,
        "Stored as": card.storage,
        "Made": card.created or "not known",
    }
    rows = "\n".join(f"| {key} | {_plain(str(value))} |" for key, value in facts.items())
    image = f"\n![A face made by a neural network, in this style]({picture})\n" if picture else ""
    return f"""{_FRONT}
# {_plain(style_heading(card.name, card.prompt, card.title))}
{image}
A style for a face generator, made by text-guided adaptation (StyleGAN-NADA, Gal et al. 2021, arXiv:2108.00946).

| | |
|---|---|
{rows}

The file holds differences or values of the base generator's weights and no code. It fits only the base with this hash.

    python -m nada_core edit photo.jpg --style {PREFIX}{repo} --out out

**Every picture made with this style is AI-generated.** Label it so, and do not pass it off as a photograph of a real person.

**Licence: non-commercial at the source.** A style is derived from the weights of its base. Both bases of this project come from
StyleGAN2-FFHQ, which is {REGISTRY["stylegan2-ffhq"].licence}. With another base, that one's licence applies.
"""


def _plain(text: str) -> str:
    """Return a text on one line that means nothing in Markdown or HTML."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~&$-])", r"\\\1", line)
