#!/usr/bin/env bash
# Gradio 6.31.0: what an endpoint of a handler whose `inputs` are a set is called with.
#
# Expected: a set gives the handler one dict instead of many arguments; the endpoint of the same handler then takes the components by name
#           or label, or at least in the order in which they stand on the page.
# Happens:  it takes them in the order in which they were made in Python, wherever they stand, and as to names the first is called like the
#           handler's dict argument and the rest "param_1", "param_2", ... Two text fields are so exchanged without a complaint.
# Seen:     on the page: to, message;  made: message, to
#           names: ['data', 'param_1'], labels: ['message', 'to']
#           predict('a friend', 'hello') wrote: message 'a friend' to 'hello'
# Here:     the public endpoints take their inputs as a list, whose order is part of what is promised.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "gradio==6.31.0"
export GRADIO_ANALYTICS_ENABLED=False HF_HUB_OFFLINE=1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import gradio as gr
from gradio_client import Client

with gr.Blocks() as demo:
    message = gr.Textbox(label="message", render=False)  # made first, placed second
    to = gr.Textbox(label="to")
    message.render()
    written = gr.Textbox()
    send = gr.Button()
    send.click(lambda data: f"message {data[message]!r} to {data[to]!r}", {to, message}, written, api_name="send")
_, address, _ = demo.launch(prevent_thread_lock=True, quiet=True)
client = Client(address, verbose=False)
parameters = client.view_api(return_format="dict", print_info=False)["named_endpoints"]["/send"]["parameters"]
names, labels = [one["parameter_name"] for one in parameters], [one["label"] for one in parameters]
answer = client.predict("a friend", "hello", api_name="/send")
print("on the page: to, message;  made: message, to")
print(f"names: {names}, labels: {labels}")
print(f"predict('a friend', 'hello') wrote: {answer}")
as_described = names == ["data", "param_1"] and labels == ["message", "to"] and answer == "message 'a friend' to 'hello'"
demo.close()
sys.exit(0 if as_described else "This has changed.")
PYTHON
