"""Write students for other programs: ONNX files that any ONNX runtime reads, and TorchScript.

The weights of an ONNX file are stored in half precision, as students are, and computed with in single precision.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from nada_core.errors import NadaError
from nada_core.students.files import StyleStudent
from nada_core.students.network import SIDE, Student

__all__ = ["network_onnx", "style_onnx", "style_torchscript"]

OPSET = 20  # the first in which GELU is one operator
_SMALL = 64  # numbers of a constant that is not worth a cast


class _Changing(nn.Module):
    """Answer with gain and offset, for any style's code."""

    def __init__(self, network: Student) -> None:
        super().__init__()
        self.network = network

    def forward(self, faces: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.change(faces, codes)


class _Wearing(nn.Module):
    """Answer with the changed face; the style's code is a constant."""

    def __init__(self, student: StyleStudent) -> None:
        super().__init__()
        self.network = student.network
        self.register_buffer("own", student.code)  # not "code": torch.export keeps that name to itself

    def forward(self, face: Tensor, strength: Tensor) -> Tensor:
        return (face + strength * (self.network(face, self.own) - face)).clamp(-1, 1)


def network_onnx(network: Student) -> bytes:
    """Return the network that styles share as an ONNX file.

    Inputs ``faces`` ``[1, 3, 256, 256]`` in [-1, 1] and ``codes`` ``[1, code_size]``; outputs ``gain`` and ``offset``
    ``[1, 3, 256, 256]``: pixels in [-1, 1] become ``x * (1 + gain) + offset``.
    """
    example = (torch.zeros(1, 3, SIDE, SIDE), network.neutral())
    return _onnx(_Changing(network), example, ["faces", "codes"], ["gain", "offset"], {})


def style_onnx(student: StyleStudent, texts: Mapping[str, str]) -> bytes:
    """Return one style as an ONNX file.

    Inputs ``face`` ``[1, 3, 256, 256]`` (RGB in [-1, 1], cut as FFHQ's faces are) and ``strength`` ``[1]`` (0 the face itself, 1 the
    style); output ``changed``, like ``face``.

    Args:
        texts: what is written into the file's metadata, by name.
    """
    return _onnx(_Wearing(student), _worn_example(), ["face", "strength"], ["changed"], texts)


def style_torchscript(student: StyleStudent, texts: Mapping[str, str]) -> bytes:
    """Return one style as a TorchScript file, whose ``forward(face, strength)`` is as :func:`style_onnx` says; texts lie inside it."""
    target = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of tracing, and that TorchScript is old: whoever asks for it knows
        traced = torch.jit.trace(_Wearing(_copied(student)).eval(), _worn_example())
        torch.jit.save(traced, target, _extra_files={name: text.encode() for name, text in texts.items()})
    return target.getvalue()


def _worn_example() -> tuple[Tensor, Tensor]:
    return torch.zeros(1, 3, SIDE, SIDE), torch.ones(1)


def _copied(student: StyleStudent) -> StyleStudent:
    return StyleStudent(student.card, deepcopy(student.network), student.code.clone())


def _onnx(module: nn.Module, example: tuple[Tensor, ...], inputs: Sequence[str], outputs: Sequence[str], texts: Mapping[str, str]) -> bytes:
    try:
        import onnxscript  # noqa: F401  (the exporter needs it)
    except ModuleNotFoundError:
        raise NadaError("The packages onnx and onnxscript are not installed. Run `python -m pip install -r requirements.txt`.") from None
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # about the exporter's own insides
        program = torch.onnx.export(
            deepcopy(module).eval().requires_grad_(False),
            example,
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _strip(model.graph)
    _halve(model.graph)
    del model.functions[:], model.metadata_props[:]
    for name, text in texts.items():
        model.metadata_props.add(key=name, value=text)
    model.producer_name = "nada-demo"
    return model.SerializeToString()


def _strip(graph: Any) -> None:
    """Take away what only tells where in this program each operator comes from: a third of the file."""
    del graph.value_info[:], graph.metadata_props[:]
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*graph.input, *graph.output, *graph.initializer):
        del value.metadata_props[:]


def _halve(graph: Any) -> None:
    """Store weights in half precision, cast where the graph begins: a runtime does that once, when it loads the file."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) <= _SMALL:
            continue
        half, name = numpy_helper.to_array(tensor).astype(np.float16), tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
