"""The web interface: the only package besides `app.py` that imports Gradio."""

from __future__ import annotations

from .context import Backend
from .layout import build_app, launch_options
from .process_folder import TempFolder
from .rehearsal import rehearse
from .tools import name_tools, register_photos, tools_problem

__all__ = ["Backend", "TempFolder", "build_app", "launch_options", "name_tools", "register_photos", "rehearse", "tools_problem"]
