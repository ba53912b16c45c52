"""Offer the public endpoints as tools to language models (MCP, the Model Context Protocol), where Gradio's extra is installed."""

from __future__ import annotations

import inspect

import gradio as gr

__all__ = ["name_tools", "tools_problem"]

_PHOTO = "a data URL (data:image/jpeg;base64,...) of the photo: JPEG, PNG, WebP, HEIC or AVIF, up to 25 MB"


def tools_problem() -> str:
    """Return one sentence that says what to install; empty where Gradio has all it needs."""
    from gradio.mcp import GradioMCPServer

    if hasattr(GradioMCPServer, "StreamableHTTPSessionManager"):  # set only where all of its imports went well
        return ""
    return 'MCP needs one more package, in a version that Gradio works with. Install it with: pip install "gradio[mcp]"'


def name_tools(demo: gr.Blocks) -> None:
    """Give the tools the endpoints' names, and their arguments the words of the components. Call it before the launch.

    Gradio names a tool after its function and reads the arguments' descriptions from the function's docstring. Only public endpoints
    become tools.
    """
    for block in demo.fns.values():
        if block.api_visibility != "public" or block.fn is None or not isinstance(block.api_name, str):
            continue
        names = [name for name in inspect.signature(block.fn).parameters if name != "request"]
        words = {name: str(getattr(one, "label", "")) for name, one in zip(names, block.inputs, strict=True)}
        if "photo" in words:
            words["photo"] = _PHOTO
        block.fn.__name__ = block.api_name
        block.fn.__doc__ = "\n".join([str(block.api_description), "", "Args:", *(f"    {name}: {text}" for name, text in words.items())])
