#!/usr/bin/env bash
# Gradio 6.31.0: two apps on one machine whose visitors upload the same file, both with `delete_cache`.
#
# Expected: an app deletes what was uploaded to it, and nothing of another's.
# Happens:  an upload is named after its content, in one folder for all apps of a user ($GRADIO_TEMP_DIR, else /tmp/gradio). When one app
#           ends it deletes its uploads; the other app's visitor, who has the same photo on the page, loses it: the handler gets a path
#           where no file is. The same holds for whatever handlers answer with (an example photo, say).
# Seen:     the same path: True; it is there: True
#           after the first app has ended: False
# Here:     each server has a folder of its own (nada_core/ui/jobs/process_folder.py), and so has each process of the tests.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "gradio==6.31.0"
export GRADIO_ANALYTICS_ENABLED=False HF_HUB_OFFLINE=1 GRADIO_TEMP_DIR="$folder/uploads"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys
from pathlib import Path

import gradio as gr
import httpx


def app() -> tuple[gr.Blocks, str]:
    with gr.Blocks(delete_cache=(3600, 3600)) as demo:
        gr.File()
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    return demo, address


def upload(address: str) -> Path:
    answer = httpx.post(f"{address}gradio_api/upload", files={"files": ("me.txt", b"one and the same photo")}, timeout=60)
    return Path(answer.json()[0])


(first, at_first), (second, at_second) = app(), app()
here, there = upload(at_first), upload(at_second)
print(f"the same path: {here == there}; it is there: {there.exists()}")
same = here == there and there.exists()
first.close()
print(f"after the first app has ended: {there.exists()}")
lost = same and not there.exists()
second.close()
sys.exit(0 if lost else "This has changed.")
PYTHON
