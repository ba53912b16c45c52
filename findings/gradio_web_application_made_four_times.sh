#!/usr/bin/env bash
# Gradio 6.31.0: how often the web application of one page is made until it is served.
#
# Expected: once, when it is launched or mounted.
# Happens:  the constructor, the end of the `with` block and `queue()` each make one that nobody asks anything, and `launch()` makes the one
#           that answers. Each goes through all routes and dependencies again: of a page with many, more than half of the time it takes to
#           be built. `page.app`, which tests reach the page by, is another object after each of them.
# Seen:     constructor 1, with block 1, queue 1, launch 1
# Here:     an application is made when the page is served or first asked for (nada_core/ui/page/patches/single_app.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "gradio==6.31.0"
export GRADIO_ANALYTICS_ENABLED=False HF_HUB_OFFLINE=1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import gradio as gr
from gradio.routes import App

made, real = [], App.create_app


def counted(*values, **options):
    made.append(1)
    return real(*values, **options)


App.create_app = staticmethod(counted)
counts, before = {}, 0


def note(what):
    global before
    counts[what], before = len(made) - before, len(made)


page = gr.Blocks()
note("constructor")
with page:
    gr.Button("Go").click(lambda: None)
note("with block")
page.queue()
note("queue")
page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
note("launch")
page.close()
print(", ".join(f"{what} {count}" for what, count in counts.items()))
sys.exit(0 if counts == {"constructor": 1, "with block": 1, "queue": 1, "launch": 1} else 1)
PYTHON
