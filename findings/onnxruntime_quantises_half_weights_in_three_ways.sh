#!/usr/bin/env bash
# onnxruntime 1.32.0: `quantize_dynamic` treats weights that an ONNX file stores in half precision in three ways, by the kind of layer.
#
# Expected: a file whose float16 weights pass a Cast to float32 is valid, runs, and saves half of the space. `quantize_dynamic` makes its
#           layers 8-bit, or says of each that it does not; convolutions with and without a bias are treated alike.
# Happens:  a Conv with a bias raises ValueError("Expected w to be an initializer"), which names neither the Cast nor the way out; a Conv
#           without one is quantised, but its weights anew at each run, from the float16 ones, which stay in the file; a MatMul is left as it
#           was without a word. After `quant_pre_process`, which folds the Casts, all three become 8-bit.
# Seen:     Conv with bias: ValueError: Expected w to be an initializer
#           Conv: Cast DynamicQuantizeLinear DynamicQuantizeLinear Mul ConvInteger Cast Mul
#           MatMul: Cast MatMul
#           after quant_pre_process: ConvInteger, ConvInteger, MatMulInteger
# Here:     exported styles store their weights so; docs/mirror.md says to call `quant_pre_process` first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "onnxruntime==1.32.0" "onnx==1.23.2" "numpy>=2.2,<2.5"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import logging
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

logging.disable(logging.WARNING)  # the general advice to pre-process, which says nothing of any layer
source, prepared, target = (f"{sys.argv[1]}/{name}.onnx" for name in ("source", "prepared", "target"))


def write(kind, biased):
    """Write a model of one layer, whose float16 weights are cast to float32; the checker finds nothing wrong with it."""
    weights = np.random.default_rng(0).normal(size=(8, 8) if kind == "MatMul" else (8, 8, 1, 1)).astype(np.float16)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8] if kind == "MatMul" else [1, 8, 4, 4]) for name in "xy")
    stored = [numpy_helper.from_array(weights, "w.half")]
    if biased:
        stored.append(numpy_helper.from_array(np.zeros(8, np.float32), "b"))
    cast = helper.make_node("Cast", ["w.half"], ["w"], to=TensorProto.FLOAT)
    layer = helper.make_node(kind, ["x", "w", "b"] if biased else ["x", "w"], ["y"])
    model = helper.make_model(helper.make_graph([cast, layer], "one", [x], [y], stored), opset_imports=[helper.make_opsetid("", 20)])
    model.ir_version = 10
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, source)


def quantised(path):
    """Return the kinds of nodes after quantisation, or the error."""
    try:
        quantize_dynamic(path, target)
    except ValueError as error:
        return f"ValueError: {error}"
    return " ".join(node.op_type for node in onnx.load(target).graph.node)


seen, after = [], []
for kind, biased in (("Conv", True), ("Conv", False), ("MatMul", False)):
    write(kind, biased)
    seen.append(quantised(source))
    print(f"{kind}{' with bias' * biased}: {seen[-1]}")
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    after.append(next((kind for kind in quantised(prepared).split() if kind.endswith("Integer")), "none"))
print(f"after quant_pre_process: {', '.join(after)}")
as_it_was = "Expected w to be an initializer" in seen[0] and seen[1].count("DynamicQuantizeLinear") == 2 and seen[2] == "Cast MatMul"
sys.exit(0 if as_it_was and after == ["ConvInteger", "ConvInteger", "MatMulInteger"] else "This has changed.")
PYTHON
