#!/usr/bin/env bash
# huggingface_hub 2.4.0: what becomes of a large file's first half when `hf_hub_download` gives up and is called again.
#
# Expected: the second call goes on where the first one broke off (Range), as the retries within one call do, and as both calls did in
#           0.36.0 and 1.0.1 (this script, with those versions): they left an ".incomplete" file in the cache and went on from there.
# Happens:  the call that gives up deletes what it has; the next one begins at byte 0. A connection that never lasts for the whole file
#           never brings it, however often the download is started.
# Seen:     first call: asked for bytes from [0, 20971520] on; left in the cache: nothing
#           second call: asked for bytes from [0] on
# Here:     large files are fetched with huggingface_hub's own `http_get` into a file of this project's, which outlives the call
#           (nada_core/assets/resuming.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "huggingface_hub==2.4.0"
export HF_HOME="$folder/home" HF_HUB_DISABLE_PROGRESS_BARS=1 HF_HUB_DISABLE_TELEMETRY=1
"$folder/venv/bin/python" - <<'PYTHON'
import hashlib
import logging
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONTENT = bytes(40 << 20)
starts: list[int] = []
weak = True  # the connection breaks after 25 MB, and is away then


class Hub(BaseHTTPRequestHandler):
    """One file of one repository."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def head(self, start):
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        for name, value in {"X-Repo-Commit": "0" * 40, "ETag": f'"{hashlib.sha256(CONTENT).hexdigest()}"', "Accept-Ranges": "bytes"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()

    def do_HEAD(self):
        self.head(0)

    def do_GET(self):
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        starts.append(start)
        self.close_connection = weak
        if weak and len(starts) > 1:
            return
        self.head(start)
        self.wfile.write(CONTENT[start : (25 << 20) if weak else None])


server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{server.server_address[1]}"

from huggingface_hub import hf_hub_download  # noqa: E402 - reads the address when it is imported

logging.disable(logging.WARNING)
try:
    hf_hub_download("some/repository", "large.bin")
    sys.exit("The first call was expected to give up.")
except Exception as error:
    print(f"the first call gave up: {type(error).__name__}")
left = [path.name for path in Path(os.environ["HF_HOME"]).rglob("*") if path.is_file() and path.stat().st_size > 1 << 20]
print(f"first call: asked for bytes from {sorted(set(starts))} on; left in the cache: {left or 'nothing'}")
resumed = max(starts) > 0
weak = False
starts.clear()
file = hf_hub_download("some/repository", "large.bin")
assert Path(file).stat().st_size == len(CONTENT)
print(f"second call: asked for bytes from {starts} on")
sys.exit(0 if resumed and not left and starts == [0] else "This has changed.")
PYTHON
