"""Skip the outputs that a handler's answer does not name: Gradio would rebuild each of them, which takes milliseconds.

Handlers of this page answer with the few components that change, many times a second. For each output that such an answer does not name,
Gradio (6.31) builds the component anew, with the JSON schema of its values, in the session of everybody who watches: milliseconds of the
one thread that serves all pages, twenty times an answer. Here they are passed by.

Upstream: no issue known.
Remove when Gradio's own `postprocess_data` passes by outputs that are skipped (tests/ui/page/test_blocks.py counts what is built).
"""

from __future__ import annotations

import copy
from typing import Any

import gradio as gr
from gradio.blocks import Block

__all__ = ["NamedAnswers"]


class NamedAnswers(gr.Blocks):
    """Build a page (`gr.Blocks`) that handles only the outputs an answer names."""

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Return what Gradio returns: the values to send for each of the event's outputs."""
        outputs = list(block_fn.outputs)
        if not _names_components(predictions, outputs) or block_fn.batch or block_fn.is_validator_function:
            return await super().postprocess_data(block_fn, predictions, state)
        values = {block._id: value for block, value in predictions.items()}
        named = copy.copy(block_fn)
        named.outputs = [block for block in outputs if block._id in values and not _is_skip(values[block._id])]
        given = [values[block._id] for block in named.outputs]
        # for a single output Gradio takes the value itself
        answers = await super().postprocess_data(named, given[0] if len(given) == 1 else given, state) if given else []
        sent = {block._id: None if block.stateful else gr.skip() for block in outputs}
        sent |= {block._id: answer for block, answer in zip(named.outputs, answers, strict=True)}
        return [sent[block._id] for block in outputs]


def _is_skip(value: Any) -> bool:
    return isinstance(value, dict) and value == gr.skip()


def _names_components(predictions: Any, outputs: list[Any]) -> bool:
    """Tell whether an answer is a dict of values by outputs of the event; Gradio has error messages for the others."""
    known = {block._id for block in outputs}
    return bool(predictions) and isinstance(predictions, dict) and all(isinstance(k, Block) and k._id in known for k in predictions)
