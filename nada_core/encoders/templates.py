"""Put a prompt into CLIP's sentences ("a photo of a ..."), and list the face and animal parts that the patch loss names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

__all__ = ["ANIMAL_PARTS", "FACE_PARTS", "PARTS", "TEMPLATES", "ReadsTemplates", "caption", "fill"]

TEMPLATES: tuple[str, ...]
"""The 79 sentences whose mean describes a prompt: CLIP's ImageNet templates (Radford et al. 2021) without the plural one."""

_PLURAL = "a photo of many {}."

#: Parts for the patch loss: 15 each, as many as StyleGAN-NADA uses, whose own are of an animal.
FACE_PARTS = (
    "the eyes of a {}.", "the eyebrows of a {}.", "the nose of a {}.", "the mouth of a {}.", "the teeth of a {}.", "the ears of a {}.",
    "the cheeks of a {}.", "the chin of a {}.", "the forehead of a {}.", "the skin of a {}.", "the hair of a {}.", "the head of a {}.",
    "the neck of a {}.", "the shoulders of a {}.", "the clothes of a {}.",
)  # fmt: skip
ANIMAL_PARTS = (
    "the eyes of a {}.", "the snout of a {}.", "the nose of a {}.", "the mouth of a {}.", "the tongue of a {}.", "the teeth of a {}.",
    "the ears of a {}.", "the whiskers of a {}.", "the head of a {}.", "the face of a {}.", "the neck of a {}.", "the fur of a {}.",
    "the paw of a {}.", "the legs of a {}.", "the tail of a {}.",
)  # fmt: skip
#: Lists of parts, by the name that options give them.
PARTS = {"face": FACE_PARTS, "animal": ANIMAL_PARTS}


@runtime_checkable
class ReadsTemplates(Protocol):
    """Describe an encoder that understands any sentence, so that a prompt is best described by the mean over several."""

    templates: Sequence[str]


def fill(template: str, text: str) -> str:
    """Return the template with the text in place of ``{}``; braces in the text itself are left alone."""
    return template.replace("{}", text)


def caption(encoder: object, text: str) -> str:
    """Return the text as one sentence for an encoder: ``a Joker`` where it reads sentences, the bare text where it knows a list."""
    return f"a {text}" if isinstance(encoder, ReadsTemplates) else text


def __getattr__(name: str) -> Any:
    # open_clip holds the list; importing it takes seconds, so it waits for somebody who reads free text
    if name != "TEMPLATES":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from open_clip import OPENAI_IMAGENET_TEMPLATES

    globals()[name] = tuple(text for template in OPENAI_IMAGENET_TEMPLATES if (text := template("{}")) != _PLURAL)
    return globals()[name]
