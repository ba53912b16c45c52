"""What a student is taught to make of a painted face: the style's colours, the person's lines."""

from __future__ import annotations

import torch

from nada_core.students.lines import gradients, is_paint, lightness, own_lines
from nada_core.students.pairs import seen

SIDE = 64


def face(value: float = -0.1) -> torch.Tensor:
    """A skin with a dark line across its middle."""
    image = torch.full((1, 3, SIDE, SIDE), value)
    image[..., 30:33, 16:48] -= 0.6
    return image


def white(line: float = 0.0) -> torch.Tensor:
    """White paint over the whole face, through which a little of the line is seen."""
    image = torch.full((1, 3, SIDE, SIDE), 0.8)
    image[..., 30:33, 16:48] -= line
    return image


def contrast(image: torch.Tensor) -> float:
    light = lightness(image)[0, 0, :, 32]
    return float(light[24:28].mean() - light[31])


def test_what_the_style_leaves_alone_stays_as_the_camera_sees_it():
    lit = face() * 0.7
    torch.testing.assert_close(own_lines(lit, face(), face()), lit, atol=1e-4, rtol=0)


def test_a_line_that_paint_covers_comes_back_and_the_paint_stays():
    wanted = own_lines(face(), face(), white(0.1))
    assert contrast(white(0.1)) < 0.2 and contrast(wanted) > 0.5
    assert abs(float(wanted.mean() - white(0.1).mean())) < 0.06
    assert (wanted[..., :8, :] - 0.8).abs().max() < 0.1, "far from the line it is the paint alone"


def test_the_edge_of_a_paint_stays():
    lips = white()
    lips[:, 1:, 40:50, 20:44] = -0.8
    plain = torch.full_like(lips, -0.1)
    assert (own_lines(plain, plain, lips) - lips).abs().mean() < 0.02


def test_a_darker_photo_gets_the_same_paint():
    bright, dark = (own_lines(lit, face(), white(0.1)) for lit in (face(), face() * 0.6 - 0.3))
    assert (bright - dark).abs().max() < 0.02


def test_gradients_are_differences_of_neighbours():
    right, down = gradients(torch.arange(9.0).reshape(1, 1, 3, 3))
    assert right[0, 0].tolist() == [[1, 1, 0]] * 3 and down[0, 0].tolist() == [[3] * 3, [3] * 3, [0] * 3]


def test_a_medium_changes_what_is_behind_the_head_too():
    before = torch.randint(0, 200, (2, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(0)).byte()
    painted = before.clone()
    painted[..., 16:, 10:-10] += 40
    assert is_paint(before, painted) and not is_paint(before, before + 40)


def test_only_painted_faces_keep_their_lines():
    before, after = (((image + 1) * 127.5).round().byte().expand(2, -1, -1, -1) for image in (face(), white(0.1)))
    (face_plain, plain), (face_both, both) = (seen(before, after, torch.Generator().manual_seed(4), which) for which in ((), (False, True)))
    assert torch.equal(face_plain, face_both) and torch.equal(plain[0], both[0])
    assert (plain[1] - both[1]).abs().max() > 0.2
