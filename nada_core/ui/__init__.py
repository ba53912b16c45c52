"""Build and serve the web interface: the only package besides `app.py` that imports Gradio."""

from __future__ import annotations

import nada_core.ui.page.patches.quick_import  # noqa: F401 - before any other module here imports Gradio

# isort: split
from nada_core.ui.api.mcp import name_tools, tools_problem
from nada_core.ui.app import build_app, launch_options, mount_options
from nada_core.ui.jobs.process_folder import TempFolder
from nada_core.ui.page.patches.mcp_photos import register_photos
from nada_core.ui.server.backend import Backend
from nada_core.ui.server.warm_up import warm_up

__all__ = [
    "Backend",
    "TempFolder",
    "build_app",
    "launch_options",
    "mount_options",
    "name_tools",
    "register_photos",
    "tools_problem",
    "warm_up",
]
