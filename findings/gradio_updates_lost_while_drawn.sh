#!/usr/bin/env bash
# Gradio 6.31.0: what a component shows that is told something in the moment in which the browser draws it for the first time (as when
# the tab that it is in is opened).
#
# Expected: the last thing that the server said.
# Happens:  an update that was under way when the component came is kept for a component that has come already, and never shown; one that
#           waited for the component is set after the page has settled, over newer ones. The moment is milliseconds long, on a busy machine
#           seconds: a button stays grey for ever, a "Done" never appears. Issue 13414 of gradio-app/gradio was about a part of this.
# Seen:     told while it came: interactive=undefined instead of True; told again when it had come: value="old" instead of "new"
# Here:     these lines of Gradio's script are changed on their way to the browser (nada_core/ui/page/patches/changed_scripts.py).
# Needs Chromium, at /usr/bin/chromium or at $CHROMIUM. The page's own tree of components is asked, so that nothing depends on speed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "gradio==6.31.0" "playwright==1.65.2"
export GRADIO_ANALYTICS_ENABLED=False HF_HUB_OFFLINE=1
"$folder/venv/bin/python" - <<'PYTHON'
import os
import sys
from pathlib import Path

import gradio as gr
from playwright.sync_api import sync_playwright

ASK = """async (name) => {
  const script = await import(document.baseURI.replace(/[^/]*$/, '') + 'assets/' + name);
  const Components = Object.values(script).find((one) => one?.prototype?.register_component);
  const wait = () => new Promise((go) => setTimeout(go, 200));
  const undrawn = () => {
    const shown = {};
    const button = { id: 1, type: 'textbox', props: { visible: true, value: 'nothing', interactive: false } };
    const page = new Components([button], { id: 0, children: [{ id: 1 }] }, [], { root: '', api_prefix: '' }, {}, (text) => text, () => {});
    return { shown, page, draw: () => page.register_component(1, (news) => Object.assign(shown, news), async () => ({ ...shown })) };
  };
  const one = undrawn();
  const telling = one.page.update_state(1, { interactive: true }, false);
  one.draw();
  await telling;
  const two = undrawn();
  await two.page.update_state(1, { value: 'old' }, false);
  two.draw();
  await two.page.update_state(1, { value: 'new' }, false);
  await wait();
  return [String(one.shown.interactive), two.shown.value];
}"""
assets = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
(name,) = [file.name for file in assets.glob("core-*.js")]
with gr.Blocks() as demo:
    gr.Markdown("A page.")
_, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
with sync_playwright() as tools:
    browser = tools.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
    page = browser.new_page()
    page.goto(address)
    page.get_by_text("A page.").wait_for(timeout=120_000)
    first, second = page.evaluate(ASK, name)
    print(f"told while it came: interactive={first} instead of True; told again when it had come: value={second!r} instead of 'new'")
    browser.close()
demo.close()
sys.exit(0 if (first, second) == ("undefined", "old") else "This has changed.")
PYTHON
