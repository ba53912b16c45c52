"""The student's network: what a style's own numbers do, and what they leave alone."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from nada_core.students.network import SIDE, Student, fit_output

WIDTHS = (8, 8, 8, 8)


def faces(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1


def taught(seed: int = 0) -> tuple[Student, torch.Tensor]:
    """A network and numbers that do something."""
    torch.manual_seed(seed)
    network = Student(WIDTHS).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network, torch.randn(3, network.code_size) * 0.1


def test_a_style_that_has_learnt_nothing_changes_nothing():
    network, _ = taught()
    with torch.no_grad():
        assert torch.equal(network(faces(), network.neutral()), faces())


def test_each_face_gets_its_own_style():
    network, codes = taught()
    with torch.no_grad():
        together = network(faces(), codes[:2])
        alone = torch.cat([network(face[None], code[None]) for face, code in zip(faces(), codes)])
        other = network(faces(), codes[2:])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    assert (together - faces()).abs().mean() > 0.01 and (together - other).abs().mean() > 0.01


def test_gain_and_offset_are_the_change():
    network, codes = taught()
    with torch.no_grad():
        gain, offset = network.change(faces(), codes[:1])
        torch.testing.assert_close(faces() * (1 + gain) + offset, network(faces(), codes[:1]))
    assert gain.shape == offset.shape == (2, 3, SIDE, SIDE)


def test_an_output_layer_is_found_again_from_what_it_does():
    network, codes = taught()
    with torch.no_grad():
        wanted = network(faces(6), codes[:1])
        start = torch.cat([codes[:1, : -network.output_size], torch.zeros(1, network.output_size)], 1)
        found = network(faces(6), fit_output(network, start, faces(6), wanted, ridge=1e-6))
        assert torch.equal(network(faces(6), start), faces(6))
    assert (found - wanted).abs().mean() < 0.02 * (wanted - faces(6)).abs().mean()


def test_where_a_pixel_lies_counts():
    network, codes = taught()
    flat = torch.zeros(1, 3, SIDE, SIDE)
    with torch.no_grad():
        changed = network(flat, codes[:1])[0, :, 40:-40, 40:-40]
    assert changed.std((1, 2)).min() > 1e-3


def test_grain_makes_a_texture_where_a_face_is_all_one_colour():
    torch.manual_seed(0)
    network = Student(WIDTHS, grain=2).eval()
    flat, code = torch.zeros(1, 3, SIDE, SIDE), torch.randn(1, network.code_size) * 0.1
    with torch.no_grad():
        made, again = network(flat, code), network(flat, code)
        network.grain.zero_()
        plain = network(flat, code)
    # two by two pixels are one place, and the border of a picture is a line for any network
    rough, smooth = (F.avg_pool2d(x, 2)[..., 32:96, 32:96].diff(dim=-1).abs().mean() for x in (made, plain))
    assert rough > 3 * smooth and torch.equal(made, again) and network.textured and not Student(WIDTHS).textured
