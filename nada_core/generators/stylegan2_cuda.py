"""Run the pointwise part of a StyleGAN2 layer as one CUDA kernel: demodulate, noise, bias, leaky ReLU, clamp in one pass.

Compiled by torch's own tools on first use on a CUDA device, and kept in torch's extension cache. Where that fails (no compiler, another
toolkit), one warning says so and the plain operations of ``stylegan2_ops.py`` go on. Never run here: it compiles, but no CUDA device
was at hand; the tests marked ``gpu`` compare it with the plain operation.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
import sysconfig
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["compiled_kernels", "fused_bias_act", "wait_for_lock"]

SLOPE = 0.2
NAME = "nada_stylegan2_bias_act"
#: Compiling takes minutes, at most a few on a slow machine; a lock as old as this was left by a process that was killed. In seconds.
STALE = 1800.0

DECLARATIONS = """
torch::Tensor bias_act(torch::Tensor x, torch::Tensor bias, torch::Tensor scale, torch::Tensor noise, double slope, double clamp);
torch::Tensor bias_act_grad(torch::Tensor grad, torch::Tensor y, double slope, double clamp);
"""

KERNELS = r"""
#include <torch/types.h>
#include <ATen/Dispatch.h>
#include <ATen/OpMathType.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <algorithm>

constexpr int THREADS = 256;

static int blocks_for(int64_t total) {
    return static_cast<int>(std::min<int64_t>((total + THREADS - 1) / THREADS, 1 << 16));
}

// x, y: [N, C, plane]; scale: [N, C]; bias: [C]; noise: [1 or N, plane], or null. Arithmetic is in float (double for double).
template <typename T, typename A>
__global__ void forward_kernel(const T* x, const A* bias, const A* scale, const A* noise, T* y, int64_t total, int64_t plane,
                               int64_t channels, int64_t noise_step, A slope, A clamp) {
    for (int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x; i < total; i += (int64_t)gridDim.x * blockDim.x) {
        const int64_t row = i / plane;
        A v = static_cast<A>(x[i]) * scale[row] + bias[row % channels];
        if (noise != nullptr) v += noise[row / channels * noise_step + i % plane];
        v = v > A(0) ? v : v * slope;
        if (clamp > A(0)) v = v > clamp ? clamp : (v < -clamp ? -clamp : v);
        y[i] = static_cast<T>(v);
    }
}

// The sign of the output is that of the input, so the output is all that the gradient of the leaky ReLU needs.
template <typename T, typename A>
__global__ void backward_kernel(const T* grad, const T* y, T* out, int64_t total, A slope, A clamp) {
    for (int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x; i < total; i += (int64_t)gridDim.x * blockDim.x) {
        const A v = static_cast<A>(y[i]);
        A g = static_cast<A>(grad[i]) * (v > A(0) ? A(1) : slope);
        if (clamp > A(0) && (v >= clamp || v <= -clamp)) g = A(0);
        out[i] = static_cast<T>(g);
    }
}

torch::Tensor bias_act(torch::Tensor x, torch::Tensor bias, torch::Tensor scale, torch::Tensor noise, double slope, double clamp) {
    const c10::cuda::CUDAGuard guard(x.device());
    auto y = torch::empty_like(x);
    const int64_t total = x.numel(), channels = x.size(1), plane = x.size(2) * x.size(3);
    if (total == 0) return y;
    const int64_t noise_step = noise.numel() > plane ? plane : 0;
    AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, x.scalar_type(), "bias_act", [&] {
        using A = at::opmath_type<scalar_t>;
        forward_kernel<scalar_t, A><<<blocks_for(total), THREADS, 0, c10::cuda::getCurrentCUDAStream()>>>(
            x.data_ptr<scalar_t>(), bias.data_ptr<A>(), scale.data_ptr<A>(), noise.numel() ? noise.data_ptr<A>() : nullptr,
            y.data_ptr<scalar_t>(), total, plane, channels, noise_step, static_cast<A>(slope), static_cast<A>(clamp));
    });
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return y;
}

torch::Tensor bias_act_grad(torch::Tensor grad, torch::Tensor y, double slope, double clamp) {
    const c10::cuda::CUDAGuard guard(y.device());
    auto out = torch::empty_like(y);
    const int64_t total = y.numel();
    if (total == 0) return out;
    AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, y.scalar_type(), "bias_act_grad", [&] {
        using A = at::opmath_type<scalar_t>;
        backward_kernel<scalar_t, A><<<blocks_for(total), THREADS, 0, c10::cuda::getCurrentCUDAStream()>>>(
            grad.data_ptr<scalar_t>(), y.data_ptr<scalar_t>(), out.data_ptr<scalar_t>(), total, static_cast<A>(slope),
            static_cast<A>(clamp));
    });
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return out;
}
"""


@contextmanager
def _scripts_on_path() -> Iterator[None]:
    """Put the environment's programs on the PATH, where torch looks for ``ninja``: else they are there only after activation."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


def wait_for_lock(folder: Path, stale: float = STALE, pause: float = 0.5) -> bool:
    """Wait while another process compiles in ``folder``; a lock that a killed one left is removed once it is ``stale`` seconds old.

    torch itself would wait for such a lock for ever.

    Returns:
        Whether a stale lock was removed.
    """
    lock, told = folder / "lock", False
    while True:
        try:
            age = time.time() - lock.stat().st_mtime
        except FileNotFoundError:
            return False
        if age > stale:
            lock.unlink(missing_ok=True)
            return True
        if not told:
            print("Waiting for another process that compiles the CUDA kernels.", file=sys.stderr, flush=True)
            told = True
        time.sleep(pause)


def _reason(lines: Sequence[str]) -> str:
    """Return the line of a compiler's log that tells why it failed; the linker's "error:" line says only that it gave up."""
    telling = [line for line in lines if "cannot find" in line or ("error:" in line and "ld returned" not in line)]
    return (telling or lines)[0].strip()[:160]


@functools.cache
def compiled_kernels() -> Any:
    """Return the extension module, compiled once and cached, or ``None`` where it cannot be; then one warning tells why."""
    try:
        extensions = importlib.import_module("torch.utils.cpp_extension")
        folder = None
        if find := getattr(extensions, "_get_build_directory", None):  # a private name: without it torch finds its folder by itself
            folder = find(NAME, verbose=False)
            wait_for_lock(Path(folder))
            if not any(Path(folder).glob(f"{NAME}*.so")):
                print("Compiling the CUDA kernels, once: about a minute.", file=sys.stderr, flush=True)
        with _scripts_on_path():
            kernels = extensions.load_inline(NAME, DECLARATIONS, KERNELS, functions=["bias_act", "bias_act_grad"], build_directory=folder)
        if torch.cuda.is_available():  # compiled for other devices than this one, it fails at the first call
            one = torch.ones(1, 1, 1, 1, device="cuda")
            kernels.bias_act(one, one.view(1), one.view(1, 1), one.view(-1)[:0], SLOPE, 0.0).item()
        return kernels
    except Exception as error:  # noqa: BLE001 (a missing compiler, toolkit or header raises many things; none of them may stop a run)
        reason = _reason(str(error).strip().splitlines() or [type(error).__name__])
        warnings.warn(f"StyleGAN2's fused CUDA kernel is not available ({reason}); using plain PyTorch.", RuntimeWarning, stacklevel=2)
        return None


class _BiasAct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor, scale: Tensor, noise: Tensor | None, clamp: float, kernels: Any) -> Tensor:
        x = x.contiguous()
        wide = torch.promote_types(x.dtype, torch.float32)
        factors = [t.to(wide).contiguous() for t in (bias, scale, x.new_empty(0) if noise is None else noise)]
        y = kernels.bias_act(x, *factors, SLOPE, clamp)
        ctx.save_for_backward(x, y, scale)
        ctx.clamp, ctx.kernels, ctx.dtypes = clamp, kernels, (bias.dtype, None if noise is None else noise.dtype)
        ctx.shared_noise = noise is not None and noise.shape[0] == 1
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, y, scale = ctx.saved_tensors
        bias_dtype, noise_dtype = ctx.dtypes
        g = ctx.kernels.bias_act_grad(grads[0].contiguous(), y, SLOPE, ctx.clamp)
        wide = torch.promote_types(g.dtype, torch.float32)
        dx = g * scale.to(g.dtype)[:, :, None, None] if ctx.needs_input_grad[0] else None
        dbias = g.sum((0, 2, 3), dtype=wide).to(bias_dtype) if ctx.needs_input_grad[1] else None
        dscale = (g * x).sum((2, 3), dtype=wide).to(scale.dtype) if ctx.needs_input_grad[2] else None
        dnoise = None
        if noise_dtype is not None and ctx.needs_input_grad[3]:
            axes = (0, 1) if ctx.shared_noise else (1,)
            dnoise = g.sum(axes, keepdim=True, dtype=wide).to(noise_dtype)
        return dx, dbias, dscale, dnoise, None, None


def fused_bias_act(x: Tensor, bias: Tensor, scale: Tensor, noise: Tensor | None, clamp: float | None) -> Tensor | None:
    """Return ``clamp(leaky_relu(x * scale + noise + bias))`` on CUDA, or ``None`` where the kernel could not be compiled.

    Args:
        x: ``[N, C, H, W]``.
        bias: ``[C]``; ``scale``: ``[N, C]``; ``noise``: ``[1 or N, 1, H, W]``. All three with the gain already in them.
    """
    kernels = compiled_kernels()
    return None if kernels is None else _BiasAct.apply(x, bias, scale, noise, clamp or 0.0, kernels)
