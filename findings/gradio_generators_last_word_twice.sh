#!/usr/bin/env bash
# Gradio 6.31.0: what a page is told by a handler that yields, when the handler is over.
#
# Expected: each answer that the handler yields is sent once; the end says that it is the end.
# Happens:  the end carries the last answer once more, and the page applies it. Between the two lies whatever the handler does after its last
#           `yield` (deleting temporary files, say, or waiting for a thread on a busy machine). What the person did in that time is undone.
# Seen:     typed after the answer: mine
#           when the handler is over: answer
# Here:     handlers of the page say nothing at their end (nada_core/ui/page/patches/last_word_once.py).
# Needs Chromium, at /usr/bin/chromium or at $CHROMIUM.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "gradio==6.31.0" "playwright==1.65.2"
export GRADIO_ANALYTICS_ENABLED=False HF_HUB_OFFLINE=1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import os
import sys
import time
from collections.abc import Iterator

import gradio as gr
from playwright.sync_api import sync_playwright


def answer() -> Iterator[str]:
    yield "answer"
    time.sleep(3)


with gr.Blocks() as demo:
    words = gr.Textbox(elem_id="words", interactive=True)
    gr.Button("Ask", elem_id="ask").click(answer, None, words, show_progress="hidden")
_, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
with sync_playwright() as tools:
    browser = tools.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
    page = browser.new_page()
    page.goto(address)
    box = page.locator("#words textarea")
    page.locator("#ask").click()
    page.wait_for_function("document.querySelector('#words textarea').value === 'answer'")
    box.fill("mine")
    print(f"typed after the answer: {box.input_value()}")
    page.wait_for_timeout(5000)
    last = box.input_value()
    print(f"when the handler is over: {last}")
    browser.close()
demo.close()
sys.exit(0 if last == "answer" else "This has changed.")
PYTHON
