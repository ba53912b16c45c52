"""Let Gradio delete the photos that MCP tools receive, as it deletes uploads.

Gradio (6.31) writes a photo that comes as a data URL into its temp folder without remembering it, so that `delete_cache` never finds it;
and into the folder of the moment in which Gradio was imported, which may not be this process's own.

Upstream: no issue known.
Remove when such a photo is in the app's `upload_file_set` without this.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

__all__ = ["register_photos"]


def register_photos(demo: gr.Blocks) -> None:
    """Note every photo that comes to the tools among the app's uploads. Call it after the launch."""
    import gradio.mcp
    from gradio.utils import get_upload_folder

    gradio.mcp.DEFAULT_TEMP_DIR = get_upload_folder()
    server: Any = demo.mcp_server_obj
    convert = server.convert_strings_to_filedata

    def remembering(value: Any, places: Any) -> Any:
        made = convert(value, places)
        for one in made.values() if isinstance(made, dict) else ():
            if isinstance(one, dict) and not str(one.get("path", "http")).startswith("http"):
                demo.upload_file_set.add(str(one["path"]))
        return made

    server.convert_strings_to_filedata = remembering
