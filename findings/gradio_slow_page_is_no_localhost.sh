#!/usr/bin/env bash
# Gradio 6.31.0: an app whose page takes longer than 3 seconds to answer for the first time.
#
# Expected: the server listens, so the app has started; a busy machine is slow.
# Happens:  launch() asks its own page, once, with a time-out of 3 seconds that nothing sets, and takes silence for a machine without
#           localhost: ValueError, the server stays behind. The loop of five attempts is left at the first time-out.
# Seen:     the page takes 4 seconds: ValueError "When localhost is not accessible, a shareable link must be created. ..."
# Here:     that question is left out (launch_options in nada_core/ui/app.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "gradio==6.31.0"
export GRADIO_ANALYTICS_ENABLED=False HF_HUB_OFFLINE=1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import asyncio
import os

import gradio as gr
from starlette.middleware import Middleware


class Busy:
    """A machine that has other things to do for four seconds when somebody asks for the page."""

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "http" and scope["path"] == "/":
            await asyncio.sleep(4)
        await self.app(scope, receive, send)


with gr.Blocks() as demo:
    gr.Textbox()
try:
    demo.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, app_kwargs={"middleware": [Middleware(Busy)]})
    words = "it started"
except ValueError as error:
    words = f'ValueError "{error}"'
print(f"the page takes 4 seconds: {words}", flush=True)
os._exit(0 if "localhost is not accessible" in words else 1)  # the server that was left behind keeps the process alive
PYTHON
