"""What a training step computes, counted and not timed: operations, pictures that networks see, bytes that a style takes."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import contextmanager

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from nada_core.adaptation.options import AdaptOptions, resolve_options
from nada_core.adaptation.training_run import TrainingRun
from nada_core.generators.base import Generator
from tests.helpers.small_adaptations import StandInEncoder, small_stylegan2

#: Multiplications and additions of one step of two faces, in 10^9, counted when this was written; an allowance for other torch versions.
STARTER_STEP, ALLOWANCE = 74.7, 1.02
#: Bytes that operations write in that step, in 10^9 (large activations are memory as much as arithmetic), and its convolutions.
WRITTEN, CONVOLUTIONS = 3.00, 211


def way_back(gradient, pictures, weight, bias, stride, padding, dilation, transposed, output_padding, groups, wanted, out_shape=None):
    """Count the way back of a convolution as often its way forward as gradients are wanted; torch counts groups' weights too high."""
    places = math.prod(pictures) if transposed else math.prod(gradient)
    return 2 * places * math.prod(weight[1:]) * sum(wanted[:2])


class Written(TorchDispatchMode):
    """Count bytes that operations write, convolutions, and those on the way back whose weights' gradient is oneDNN's."""

    def __init__(self):
        super().__init__()
        self.bytes, self.convolutions, self.pointwise_back = 0, 0, 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        found = operation(*args, **(kwargs or {}))
        views = [result.alias_info is not None and not result.alias_info.is_write for result in operation._schema.returns]
        if not any(views) and "empty" not in str(operation):
            self.bytes += sum(t.nbytes for t in (found if isinstance(found, (tuple, list)) else [found]) if isinstance(t, torch.Tensor))
        self.convolutions += operation is torch.ops.aten.convolution.default
        if operation is torch.ops.aten.convolution_backward.default:
            self.pointwise_back += args[2].shape[-1] == 1 and args[10][1]
        return found


@contextmanager
def counted(run, monkeypatch):
    """Count what networks draw and see inside: pictures by who draws or reads them."""
    seen: Counter[str] = Counter()
    with monkeypatch.context() as patch:
        kind = type(run.base)
        draw, read = kind.synthesis, type(run.encoder).encode_image

        def synthesis(self, ws, *rest, **options):
            seen["frozen" if self is run.base else "trained"] += len(ws)
            return draw(self, ws, *rest, **options)

        def encode_image(self, images):
            seen["read"] += len(images)
            return read(self, images)

        patch.setattr(kind, "synthesis", synthesis)
        patch.setattr(type(run.encoder), "encode_image", encode_image)
        yield seen


def prepared(run):
    """Take a step, and make the next one draw the same faces again: what is prepared once a run is not counted."""
    numbers = run.rng.get_state()
    run.advance()
    run.rng.set_state(numbers)
    return run


@pytest.fixture(scope="module")
def starter_run(generator, encoder):
    return prepared(
        TrainingRun(generator, encoder, "Joker", resolve_options(AdaptOptions(precision="float32"), generator.family, looks=True))
    )


def test_a_step_of_the_starter_does_not_compute_more_than_it_did(starter_run):
    numbers = starter_run.rng.get_state()
    with FlopCounterMode(display=False, custom_mapping={torch.ops.aten.convolution_backward: way_back}) as operations:
        starter_run.advance()
    starter_run.rng.set_state(numbers)
    found = operations.get_total_flops() / 1e9
    assert 0.5 * STARTER_STEP < found < ALLOWANCE * STARTER_STEP


def test_a_step_of_the_starter_does_not_write_more_than_it_did(starter_run):
    numbers = starter_run.rng.get_state()
    with Written() as found:
        starter_run.advance()
    starter_run.rng.set_state(numbers)
    assert 0.5 * WRITTEN < found.bytes / 1e9 < ALLOWANCE * WRITTEN
    assert 0.5 * CONVOLUTIONS < found.convolutions <= CONVOLUTIONS, "each picture through as few layers as are needed"
    assert found.pointwise_back == 0, "the gradient of 1x1 weights is a product of matrices"


def test_a_step_of_the_starter_draws_two_faces_and_reads_two_views_of_three_pictures_each(starter_run, monkeypatch):
    numbers = starter_run.rng.get_state()
    with counted(starter_run, monkeypatch) as seen:
        starter_run.advance()
    starter_run.rng.set_state(numbers)
    assert seen == {"trained": 2, "read": 12}, "two views of face, drawing and what was learnt; the frozen generator draws nothing"


def test_a_step_of_the_full_world_draws_and_reads_each_face_twice(monkeypatch):
    base: Generator = small_stylegan2()
    run = prepared(TrainingRun(base, StandInEncoder(), "Joker", resolve_options(AdaptOptions(preset="source", batch=2), base.family)))
    with counted(run, monkeypatch) as seen:
        run.advance()
    assert seen == {"frozen": 2, "trained": 2, "read": 4}


@torch.no_grad()
def test_what_a_run_keeps_of_a_face_is_small(starter_run):
    pair = next(iter(starter_run.drawn.pairs.values()))
    tensors = [pair.ws, pair.before, pair.after, pair.kept, pair.stress, *(tensor for features in pair.features for tensor in features)]
    assert sum(tensor.numel() * tensor.element_size() for tensor in tensors) < 5 << 20
