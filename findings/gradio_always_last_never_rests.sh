#!/usr/bin/env bash
# Gradio 6.31.0: how often two listeners of one event hear of it, both with trigger_mode="always_last" (which `change` has by itself).
#
# Expected: a listener that was busy when the event came is run once more when it is free, with the last value; then all is quiet.
# Happens:  when it is free the browser repeats the event for all its listeners. The other one, if it is busy in that moment, is put off,
#           and repeats the event in its turn: after three quick keystrokes they call each other for ever, with a value that nobody changes.
# Seen:     three keystrokes, then nothing for 3 seconds: 7 calls; 3 seconds later: 10
#           (on a busy machine; four calls would say everything: each listener's first, and its last)
# Here:     the line of Gradio's script that repeats the event repeats the one listener instead, on its way to the browser
#           (nada_core/ui/page/patches/changed_scripts.py).
# Needs Chromium, at /usr/bin/chromium or at $CHROMIUM.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "gradio==6.31.0" "playwright==1.65.2"
export GRADIO_ANALYTICS_ENABLED=False HF_HUB_OFFLINE=1
"$folder/venv/bin/python" - <<'PYTHON'
import os
import sys
import time

import gradio as gr
from playwright.sync_api import sync_playwright

calls: list[str] = []


def listener(seconds: float):
    def listen(text: str) -> None:
        time.sleep(seconds)
        calls.append(text)

    return listen


with gr.Blocks() as demo:
    words = gr.Textbox("", elem_id="words")
    words.change(listener(0.5), words, None, trigger_mode="always_last")
    words.change(listener(0.7), words, None, trigger_mode="always_last")
_, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
with sync_playwright() as tools:
    browser = tools.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
    page = browser.new_page()
    page.goto(address)
    for text in ("a", "ab", "abc"):
        page.locator("#words textarea").fill(text)
        page.wait_for_timeout(100)
    page.wait_for_timeout(3000)
    first = len(calls)
    page.wait_for_timeout(3000)
    print(f"three keystrokes, then nothing for 3 seconds: {first} calls; 3 seconds later: {len(calls)}")
    browser.close()
demo.close()
sys.exit(0 if len(calls) > first + 2 else "This has changed.")
PYTHON
