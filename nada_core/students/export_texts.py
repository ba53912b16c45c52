"""Write the README and the licence that go with an exported student."""

from __future__ import annotations

from nada_core.assets.shipped import CHECKPOINTS
from nada_core.errors import shown
from nada_core.students.files import StudentCard

__all__ = ["licence_text", "readme_text"]

_USES = {
    "onnx": """Inputs: `face`, float32 [1, 3, 256, 256], RGB in [-1, 1]; `strength`, float32 [1], 0 (the face itself) to 1.3.
Output: `changed`, like `face`.

    import numpy as np, onnxruntime
    session = onnxruntime.InferenceSession("style.onnx")
    (changed,) = session.run(None, {"face": face, "strength": np.ones(1, np.float32)})
""",
    "torchscript": """`forward(face, strength)`: `face`, float32 [1, 3, 256, 256], RGB in [-1, 1]; `strength`, float32 [1], 0 (the face
itself) to 1.3. It returns the changed face.

    import torch
    changed = torch.jit.load("style.pt")(face, torch.ones(1))
""",
    "web": """A page that shows a camera's picture in this style. Nothing is asked for but the files of this folder, and no picture
leaves the browser. Browsers give the camera to https pages and to this machine:

    python -m http.server 8000    # in this folder; then open http://localhost:8000

A server that compresses what it sends (gzip or brotli) makes the first visit four times smaller. It runs on WebAssembly.

| file | what it is |
|---|---|
| index.html, *.js, *.css | the page |
| networks/*.onnx | the network: `faces` [1, 3, 256, 256] in [-1, 1] and `codes` [1, N] in, `gain` and `offset` like `faces` out |
| networks/*.json | answers that the page compares before it shows anything |
| codes/*.bin | the style: N float32 numbers, little-endian |
| runtime/ | onnxruntime-web, as published |

Pixels in [-1, 1] become x * (1 + gain) + offset.
""",
}
_FACE = """
The face is cut as FFHQ's are: the square's side is four times the distance of the eyes, which stand at 47 % of its height.
"""
_WEIGHTS = """The weights descend from StyleGAN2-FFHQ by way of MobileStyleGAN and are NON-COMMERCIAL AT THE SOURCE: NVIDIA Source Code
License-NC (StyleGAN2), CC BY-NC-SA 4.0 (FFHQ). Use them for research and for yourself. Pictures made with them are made by AI: say so.

Everything of nada-demo's own, code and page, is under the Apache License 2.0, which follows.
"""
_RUNTIME = """
The folder runtime/ is onnxruntime-web 1.30.0, Copyright (c) Microsoft Corporation, under the MIT License:

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def readme_text(card: StudentCard, kind: str) -> str:
    """Say what an exported file or folder is and how it is used."""
    about = f"made with nada-demo from the prompt '{shown(card.prompt)}'"
    return f"# {shown(card.name)}\n\nA small network that changes a face as this style does, {about}.\n\n{_USES[kind]}{_FACE}"


def licence_text(kind: str) -> str:
    """Return the conditions of what is exported: of the weights, of the page, and of the runtime where there is one."""
    apache = (CHECKPOINTS.parent / "LICENSE").read_text("utf-8")
    return f"{_WEIGHTS}{_RUNTIME if kind == 'web' else ''}\n{apache}"
