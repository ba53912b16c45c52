"""Choose the faces that looks are drawn on, and write what is known of them: ``checkpoints/known-faces.safetensors``.

    python -m training.choose_known_faces [--first 20000] [--among 1200]

Of the generated faces in which exactly one face is found, a third is taken from those with the lightest cheeks, a third from the darkest
tenth, a third from between; inside each third they are spread over the lightness of the hair.
"""

from __future__ import annotations

import argparse
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from nada_core.alignment.faces import FaceDetector
from nada_core.encoders.load import load_starter_encoder
from nada_core.generators.load import load_generator
from nada_core.images.image_io import to_pil
from nada_core.looks.drawing.operations import lab
from nada_core.system.device import tune_cpu_allocator

PSI = 0.8
COUNT = 48
PICTURES = 24


@dataclass(frozen=True)
class Candidate:
    """A generated face: its seed, what is known of it, the lightness of cheeks and hair (L*), and its picture."""

    seed: int
    landmarks: np.ndarray
    shares: np.ndarray
    cheeks: float
    hair: float
    jpeg: bytes


def lightness(pixels: np.ndarray, landmarks: np.ndarray, hair: np.ndarray) -> tuple[float, float]:
    """Return L* of the cheeks (the median of both) and of the hair in a picture ``[256, 256, 3]`` in [0, 1]."""
    light = lab(pixels)[..., 0]
    cheeks = []
    for eye, mouth, jaw in ((36, 48, 2), (45, 54, 14)):
        x, y = (landmarks[eye] * 0.36 + landmarks[mouth] * 0.36 + landmarks[jaw] * 0.28).clip(6, 249).astype(int)
        cheeks.append(light[y - 6 : y + 6, x - 6 : x + 6].mean())
    return float(np.median(cheeks)), float((light * hair).sum() / (hair.sum() + 1e-3))


@torch.no_grad()
def candidates(first: int, among: int) -> tuple[list[Candidate], str]:
    """Return the faces of ``among`` seeds that are found by the detector, and the generator's hash."""
    generator, encoder, detector = load_generator(None), load_starter_encoder(), FaceDetector()
    found = []
    for start in range(first, first + among, 4):
        seeds = range(start, start + 4)
        images = generator.synthesis(generator.mapping(generator.sample_z(seeds), PSI), "const", 256).clamp(-1, 1)
        shares = encoder.regions(images)
        hair = torch.nn.functional.interpolate(shares[:, :1], size=256, mode="bilinear")[:, 0].numpy()
        for k, seed in enumerate(seeds):
            picture = to_pil(images[k])
            faces = detector.detect(picture)
            if len(faces) != 1:
                continue
            landmarks = faces[0].landmarks.astype(np.float32)
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=92)
            pixels = np.asarray(picture, np.float32) / 255
            found.append(Candidate(seed, landmarks, shares[k].numpy(), *lightness(pixels, landmarks, hair[k]), file.getvalue()))
    return found, generator.content_hash()


def chosen(found: list[Candidate], count: int = COUNT) -> list[Candidate]:
    """Return ``count`` faces, light, medium and dark in turn, each third spread over the lightness of the hair."""
    by_skin = sorted(found, key=lambda face: face.cheeks)
    tenth = len(by_skin) // 10
    thirds = [by_skin[-3 * tenth :], by_skin[3 * tenth : 6 * tenth], by_skin[:tenth]]
    each = count // 3
    picked = []
    for third in thirds:
        by_hair = sorted(third, key=lambda face: face.hair)
        picked.append([by_hair[i] for i in np.linspace(0, len(by_hair) - 1, each).round().astype(int)])
    order = np.random.default_rng(0).permutation(each)
    return [faces[i] for i in order for faces in picked]


def main() -> None:
    """Write the file, and print the lightness of the chosen faces."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=20_000)
    parser.add_argument("--among", type=int, default=1200)
    parser.add_argument("--out", type=Path, default=Path("checkpoints/known-faces.safetensors"))
    args = parser.parse_args()
    tune_cpu_allocator()
    found, base_hash = candidates(args.first, args.among)
    faces = chosen(found)
    jpegs = [face.jpeg for face in faces[:PICTURES]]
    card = {
        "what": "generated faces that looks are drawn on: seeds, landmarks, regions, and pictures of the first",
        "base": "mobile_stylegan",
        "base_hash": base_hash,
        "truncation_psi": PSI,
        "chosen": f"{len(faces)} of {len(found)} faces (seeds {args.first} to {args.first + args.among - 1}), a third each by lightness",
    }
    tensors = {
        "seeds": np.array([face.seed for face in faces], np.int64),
        "landmarks": np.stack([face.landmarks for face in faces]).astype(np.float16),
        "shares": np.stack([(face.shares * 255).round() for face in faces]).astype(np.uint8),
        "bounds": np.cumsum([0, *map(len, jpegs)]).astype(np.int64),
        "jpeg": np.frombuffer(b"".join(jpegs), np.uint8),
    }
    save_file(tensors, args.out, metadata={"card": json.dumps(card)})
    print(f"{args.out}: {args.out.stat().st_size / 1e3:.0f} kB; cheeks L* {[round(face.cheeks) for face in faces]}")


if __name__ == "__main__":
    main()
