"""Define the student: a small image-to-image network that many styles share, with a few thousand numbers of each style's own.

A U-shaped network at half the picture's resolution predicts a gain and an offset for every pixel, so a student that has learnt nothing
leaves a face as it is. It is told where each pixel lies: faces are aligned, so places say much of what is lips and what is hair. Each
style scales and shifts the hidden channels of every block and has an output layer of its own: conditional normalisation (Dumoulin et al.
2017, "A Learned Representation For Artistic Style"). For styles with a texture there is one with a grain to make it from (Ulyanov et al.
2016, "Texture Networks"): brush strokes and hatching do not follow from the face alone.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["SIDE", "WIDTHS", "Student", "fit_output", "with_grain"]

SIDE = 256  # pixels of the face that goes in
WIDTHS = (32, 64, 96, 128)  # channels at 128, 64, 32 and 16 px
_GRAIN = 2  # planes of noise that a network of textures is given
_DILATIONS = (1, 2, 1, 2)  # of the blocks at the lowest resolution: together they see the whole face
_OUT = 24  # a gain and an offset, three colours, for each of 2 x 2 pixels


class StyledBlock(nn.Module):
    """Convolve each channel, mix the channels in a hidden layer that the style scales and shifts, and add the result."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.hidden = 2 * channels
        self.depthwise = nn.Conv2d(channels, channels, 5, padding=2 * dilation, dilation=dilation, groups=channels)
        self.norm = nn.GroupNorm(1, channels)
        self.expand = nn.Conv2d(channels, self.hidden, 1)
        self.project = nn.Conv2d(self.hidden, channels, 1)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Return features like ``x``; ``code`` is ``[N, 2 * hidden]``, scales and shifts that are added to 1 and 0."""
        scale, shift = code.to(x.dtype)[:, :, None, None].chunk(2, 1)
        hidden = self.expand(self.norm(self.depthwise(x)))
        return x + self.project(F.gelu(hidden * (1 + scale) + shift, approximate="tanh"))


class Student(nn.Module):
    """Change faces ``[N, 3, 256, 256]`` in [-1, 1] as the styles with the given codes do.

    Args:
        widths: channels of the four resolutions.
        grain: planes of noise that it is given beside the face, always the same; each is smoother than the one before. 0: none.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS, grain: int = 0) -> None:
        super().__init__()
        self.widths = tuple(widths)
        pairs = list(zip(self.widths, self.widths[1:]))
        self.enter = nn.Conv2d(14 + 4 * grain, self.widths[0], 3, padding=1)  # three colours of 2 x 2 pixels, the place, the grain
        line = torch.linspace(-1, 1, SIDE // 2)
        self.register_buffer("place", torch.stack(torch.meshgrid(line, line, indexing="xy"))[None], persistent=False)
        self.register_buffer("grain", _noise(grain), persistent=grain > 0)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, 2) for a, b in pairs)
        self.before = nn.ModuleList(StyledBlock(width) for width in self.widths[:-1])
        self.middle = nn.ModuleList(StyledBlock(self.widths[-1], dilation) for dilation in _DILATIONS)
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairs)
        self.after = nn.ModuleList(StyledBlock(width) for width in self.widths[:-1])
        self.place: Tensor
        self.grain: Tensor
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def blocks(self) -> list[StyledBlock]:
        """Return all blocks in the order of their pieces of a code."""
        return [block for group in (self.before, self.middle, self.after) for block in group]  # type: ignore[misc]

    @property
    def textured(self) -> bool:
        """Tell whether this is a network of textures."""
        return bool(self.grain.shape[1])

    @property
    def code_size(self) -> int:
        """Return how many numbers a style has of its own."""
        return sum(2 * block.hidden for block in self.blocks) + self.output_size

    @property
    def output_size(self) -> int:
        """Return how many of a style's numbers, the last ones, are its output layer."""
        return _OUT * (self.widths[0] + 1)

    def neutral(self, count: int = 1) -> Tensor:
        """Return codes ``[count, code_size]`` of styles that change nothing."""
        return torch.zeros(count, self.code_size)

    def forward(self, faces: Tensor, codes: Tensor) -> Tensor:
        """Return the changed faces; ``codes`` is ``[N, code_size]``, or ``[1, code_size]`` for all of them."""
        gain, offset = self.change(faces, codes)
        return faces * (1 + gain) + offset

    def change(self, faces: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Return gain and offset ``[N, 3, 256, 256]`` of each pixel; the arguments are those of :meth:`forward`."""
        codes = codes.expand(len(faces), -1)
        gain, offset = self._out(self.features(faces, codes), codes[:, -self.output_size :]).float().chunk(2, 1)
        return gain, offset

    def features(self, faces: Tensor, codes: Tensor) -> Tensor:
        """Return what the output layer reads, ``[N, widths[0], 128, 128]``; ``codes`` is ``[N, code_size]``."""
        code = iter(codes[:, : -self.output_size].split([2 * block.hidden for block in self.blocks], 1))
        place, grain = (known.to(faces).expand(len(faces), -1, -1, -1) for known in (self.place, self.grain))
        x = self.enter(torch.cat([F.pixel_unshuffle(faces, 2), place, grain], 1))
        kept = []
        for block, down in zip(self.before, self.down):
            x = block(x, next(code))
            kept.append(x)
            x = down(x)
        for block in self.middle:
            x = block(x, next(code))
        later = list(zip(self.after, [next(code) for _ in self.after]))
        for (block, piece), up, skip in reversed(list(zip(later, self.up, kept))):
            x = block(skip + F.interpolate(up(x), scale_factor=2.0, mode="bilinear"), piece)
        return x

    def _out(self, x: Tensor, own: Tensor) -> Tensor:
        """Apply each style's output layer: ``[N, 6, 256, 256]``."""
        own = own.reshape(len(x), _OUT, self.widths[0] + 1).to(x.dtype)
        flat = torch.baddbmm(own[:, :, -1:], own[:, :, :-1], x.flatten(2))
        return F.pixel_shuffle(flat.reshape(len(x), _OUT, *x.shape[2:]), 2)


def with_grain(network: Student) -> Student:
    """Return a network of textures that begins at another network: with its grain it does nearly nothing yet."""
    grown = Student(network.widths, _GRAIN)
    plain = network.enter.weight.detach()
    new = torch.randn(len(plain), grown.enter.in_channels - plain.shape[1], *plain.shape[2:], generator=torch.Generator().manual_seed(2))
    weights = network.state_dict() | {"grain": grown.grain, "enter.weight": torch.cat([plain, 0.005 * new], 1)}
    grown.load_state_dict(weights)
    return grown


def _noise(planes: int) -> Tensor:
    """Return noise ``[1, 4 * planes, 128, 128]``, two by two pixels a place: as fine as pixels, then averaged over 5, 9 ... pixels."""
    if not planes:
        return torch.zeros(1, 0, SIDE // 2, SIDE // 2)
    noise = torch.randn(1, planes, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    for number in range(1, planes):
        reach = 2 * number
        smooth = F.avg_pool2d(F.pad(noise[:, number : number + 1], (reach,) * 4, mode="reflect"), 2 * reach + 1, 1)
        noise[:, number : number + 1] = smooth / smooth.std()
    return F.pixel_unshuffle((noise * 16).round() / 16, 2)  # few different numbers, which half precision holds, and which pack well


@torch.no_grad()
def fit_output(network: Student, codes: Tensor, faces: Tensor, wanted: Tensor, ridge: float = 3e-3) -> Tensor:
    """Return a style's numbers with the output layer that comes nearest to what is wanted, by least squares.

    What leaves the network is linear in its output layer, so a style that the network has never seen need not begin with nothing.

    Args:
        codes: ``[1, code_size]``; all but the output layer stays.
        faces, wanted: ``[N, 3, 256, 256]`` in [-1, 1], N of at least 1.
        ridge: how much large numbers cost.

    Returns:
        ``[1, code_size]``.
    """
    width = network.widths[0] + 1
    left, right = torch.zeros(_OUT // 2, 2 * width, 2 * width), torch.zeros(_OUT // 2, 2 * width)
    for face, goal in zip(faces.split(4), wanted.split(4)):
        found = network.features(face, codes.expand(len(face), -1)).float()
        found = torch.cat([found, torch.ones_like(found[:, :1])], 1).permute(0, 2, 3, 1).reshape(-1, width)
        before, after = (F.pixel_unshuffle(x, 2).permute(0, 2, 3, 1).reshape(-1, _OUT // 2) for x in (face, goal))
        for channel in range(_OUT // 2):
            row = torch.cat([found * before[:, channel : channel + 1], found], 1)
            left[channel] += row.T @ row
            right[channel] += row.T @ (after[:, channel] - before[:, channel])
    scale = left.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
    solved = torch.linalg.solve(left + ridge * scale * torch.eye(2 * width), right)
    output = torch.cat([solved[:, :width], solved[:, width:]])
    return torch.cat([codes[:, : -network.output_size], output.reshape(1, -1)], 1)
