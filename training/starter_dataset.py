"""Render faces with landmarks and regions as every concept: what the starter encoder learns from.

    python -m training.starter_dataset --faces FACES.pt [FACES.pt ...] --out DIR [--count 420]

Writes ``faces.npz`` (pictures, landmarks, region masks) and ``renderings.npy`` [N, M, 160, 160, 3] uint8: the photograph, each concept,
each artefact on the photograph, concept-with-artefact mixtures, and distortions that are nothing. ``layout.json`` says which is which.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from nada_core.alignment.ffhq import FaceDetector
from nada_core.encoders.starter import INPUT_SIZE
from nada_core.system.device import tune_cpu_allocator
from training.artefacts import ARTEFACTS, random_distortion
from training.regions import load_generator, region_masks
from training.renderings import RENDERINGS, RenderFace
from training.renderings.face import Array

MIXTURES = 14
DISTORTIONS = 2


def collect_faces(paths: list[Path], count: int) -> dict[str, Array]:
    """Faces that the detector finds, with landmarks and region masks."""
    generator, detector = load_generator(), FaceDetector()
    found: dict[str, list] = {"images": [], "landmarks": [], "masks": [], "w": []}
    for path in paths:
        data = torch.load(path, weights_only=True, mmap=True)
        for chunk in torch.arange(len(data["w"])).split(8):
            w, images = data["w"][chunk], data["images"][chunk]
            masks = region_masks(generator, w, images)
            for k, picture in enumerate(images.permute(0, 2, 3, 1).numpy()):
                faces = detector.detect(Image.fromarray(picture))
                if faces and len(found["w"]) < count:
                    found["images"].append(picture)
                    found["landmarks"].append(faces[0].landmarks)
                    found["masks"].append(masks[k].astype(np.float16))
                    found["w"].append(w[k].numpy())
            if len(found["w"]) >= count:
                return {name: np.stack(rows) for name, rows in found.items()}
    return {name: np.stack(rows) for name, rows in found.items()}


def layout(seed: int, faces: int) -> dict[str, list]:
    """What each of the M pictures of a face is. Mixtures differ from face to face: ``mixtures[n][j] = [concept, artefact]``."""
    rng = np.random.default_rng(seed)
    mixtures = [[[int(rng.integers(len(RENDERINGS))), int(rng.integers(len(ARTEFACTS)))] for _ in range(MIXTURES)] for _ in range(faces)]
    return {"concepts": list(RENDERINGS), "artefacts": list(ARTEFACTS), "mixtures": mixtures, "distortions": [DISTORTIONS]}


def render_all(face: RenderFace, mixtures: list[list[int]], rng: np.random.Generator) -> Array:
    """[M, 160, 160, 3] uint8 in the order of :func:`layout`."""
    concepts, artefacts = list(RENDERINGS.values()), list(ARTEFACTS.values())
    pictures = [face.image, *(render(face, rng) for render in concepts)]
    pictures += [damage(face.image, rng) for damage in artefacts]
    pictures += [artefacts[a](pictures[1 + k], rng) for k, a in mixtures]
    pictures += [random_distortion(face.image, rng) for _ in range(DISTORTIONS)]
    small = [cv2.resize(np.clip(p, 0, 1), (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_AREA) for p in pictures]
    return np.round(np.stack(small) * 255).astype(np.uint8)


def _render_one(item: tuple[Array, Array, Array, list[list[int]], int]) -> Array:
    picture, landmarks, masks, mixtures, seed = item
    cv2.setNumThreads(1)
    face = RenderFace(picture.astype(np.float32) / 255, landmarks.astype(np.float32), *masks.astype(np.float32))
    return render_all(face, mixtures, np.random.default_rng(seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=420)
    args = parser.parse_args()
    tune_cpu_allocator()
    args.out.mkdir(parents=True, exist_ok=True)
    if not (args.out / "faces.npz").exists():
        np.savez(args.out / "faces.npz", **collect_faces(args.faces, args.count))
    faces = dict(np.load(args.out / "faces.npz"))
    n = len(faces["images"])
    plan = layout(0, n)
    (args.out / "layout.json").write_text(json.dumps(plan))
    m = 1 + len(RENDERINGS) + len(ARTEFACTS) + MIXTURES + DISTORTIONS
    pictures = np.lib.format.open_memmap(args.out / "renderings.npy", "w+", np.uint8, (n, m, INPUT_SIZE, INPUT_SIZE, 3))
    work = [(faces["images"][i], faces["landmarks"][i], faces["masks"][i], plan["mixtures"][i], i) for i in range(n)]
    with ProcessPoolExecutor() as pool:
        for i, rendered in enumerate(pool.map(_render_one, work, chunksize=8)):
            pictures[i] = rendered
            if i % 50 == 49:
                print(f"{i + 1}/{n} faces rendered", flush=True)


if __name__ == "__main__":
    main()
