"""The public endpoints as tools of language models (MCP, the Model Context Protocol). Gradio serves them where its extra is installed."""

from __future__ import annotations

import inspect
from typing import Any

import gradio as gr

__all__ = ["name_tools", "register_photos", "tools_problem"]

_PHOTO = "a data URL (data:image/jpeg;base64,...) of the photo: JPEG, PNG, WebP or HEIC, up to 25 MB"


def tools_problem() -> str:
    """One sentence that says what to install; empty where Gradio has all it needs."""
    from gradio.mcp import GradioMCPServer

    if hasattr(GradioMCPServer, "StreamableHTTPSessionManager"):  # set only where all of its imports went well
        return ""
    return 'MCP needs one more package, in a version that Gradio works with. Install it with: pip install "gradio[mcp]"'


def name_tools(demo: gr.Blocks) -> None:
    """Give the tools the endpoints' names, and their arguments the words of the components. To be called before the launch.

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


def register_photos(demo: gr.Blocks) -> None:
    """Let Gradio delete the photos that come to the tools as it deletes uploads. To be called after the launch.

    It writes a photo from a data URL into its temp folder without remembering it (Gradio 6.31).
    """
    import gradio.mcp
    from gradio.utils import get_upload_folder

    gradio.mcp.DEFAULT_TEMP_DIR = get_upload_folder()  # where it was when Gradio was imported may not be this process's own folder
    server: Any = demo.mcp_server_obj
    convert = server.convert_strings_to_filedata

    def remembering(value: Any, places: Any) -> Any:
        made = convert(value, places)
        for one in made.values() if isinstance(made, dict) else ():
            if isinstance(one, dict) and not str(one.get("path", "http")).startswith("http"):
                demo.upload_file_set.add(str(one["path"]))
        return made

    server.convert_strings_to_filedata = remembering
