"""gr.Blocks that leaves alone what a handler leaves alone, and whose sessions are small."""

from __future__ import annotations

import copy
from typing import Any

import gradio as gr
from gradio.blocks import Block, BlocksConfig

__all__ = ["StageBlocks"]


class _SmallSessions(BlocksConfig):
    """The page's components; the copies that sessions get do not describe them over again.

    Gradio (6.31) keeps such a description of every component in every session, half a megabyte each, until 256 pages later. Nothing but
    links into a page's state would read it, and this page has none.
    """

    def __copy__(self) -> BlocksConfig:
        copied = super().__copy__()
        copied.config_for_block = lambda *_: {}
        return copied


class StageBlocks(gr.Blocks):
    """A page whose handlers answer with the few components that change, many times a second.

    For each output that such an answer does not name, Gradio (6.31) builds the component anew, with the JSON schema of its values, in the
    session of everybody who watches: milliseconds of the one thread that serves all pages, twenty times an answer. Here they are passed by.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # makes a configuration that nothing is in yet: this one takes its place
        small = _SmallSessions(self)
        vars(small).update(vars(self.default_config))
        self.default_config = small

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """As Gradio's, with the same result: the values to send for each of the event's outputs."""
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
    """Whether an answer is a dict of outputs and their values, every one of which is known; Gradio has words for the others."""
    known = {block._id for block in outputs}
    return bool(predictions) and isinstance(predictions, dict) and all(isinstance(k, Block) and k._id in known for k in predictions)
