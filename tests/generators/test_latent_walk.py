"""The latent walk, with a generator whose pictures are its latents."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from nada_core.errors import OptionsError
from nada_core.generators.base import Generator
from nada_core.generators.latent_walk import MAX_FRAMES, walk, walk_latents
from nada_core.images.films import save_loop
from tests.helpers.fake_engine import draw_face


class Linear(Generator):
    """Grey pictures whose brightness is the latent; every seed has its own."""

    family, z_dim, w_dim, num_ws, img_resolution, resolutions = "linear", 4, 4, 2, 256, (256,)

    def __init__(self):
        super().__init__()
        self.w_avg = torch.zeros(4)

    def mapping(self, z, truncation_psi=1.0):
        return (truncation_psi * z)[:, None].expand(-1, 2, -1)

    def synthesis(self, ws, noise_mode="const", resolution=None):
        return ws.mean((1, 2))[:, None, None, None].expand(-1, 3, resolution, resolution)


def test_walk_latents_visit_every_face_and_close_the_circle():
    generator, seeds = Linear(), [3, 11, 27]
    latents = walk_latents(generator, seeds, 8, 0.5)
    stops = generator.mapping(generator.sample_z(seeds), 0.5)
    assert latents.shape == (27, 2, 4) and torch.equal(latents[::9], stops)
    ring = torch.cat([latents, latents[:1]])
    steps = (ring[1:] - ring[:-1]).flatten(1).norm(dim=1).reshape(3, 9)
    legs = (stops.roll(-1, 0) - stops).flatten(1).norm(dim=1)
    assert torch.allclose(steps.sum(1), legs, rtol=1e-4)  # straight lines, the last one back to the first face
    assert (steps[:, 0] < 0.3 * steps[:, 4]).all() and torch.allclose(steps, steps.flip(1), atol=1e-4)  # slow at the faces


def test_walk_frames_and_limits(tmp_path):
    frames = list(walk(Linear(), [1, 2], 1))
    assert len(frames) == 4 and all(frame.size == (256, 256) for frame in frames)
    for seeds, between in (([], 8), ([1], 8), ([1, 2], 0), ([1, 2], -3), ([1, 2], MAX_FRAMES)):
        with pytest.raises(OptionsError, match="walk"):
            walk(Linear(), seeds, between)  # at once, not at the first frame
    path = tmp_path / "walk.gif"
    save_loop([draw_face(seed) for seed in (1, 2, 3)], path, "made by AI")
    film = Image.open(path)
    assert film.n_frames == 3 and film.info["comment"] == b"made by AI" and [p.name for p in tmp_path.iterdir()] == ["walk.gif"]
    film.seek(1)
    assert np.abs(np.asarray(film.convert("RGB")).astype(int) - np.asarray(draw_face(2)).astype(int)).mean() < 6
