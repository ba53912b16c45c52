"""Train the starter encoder on the renderings of ``training.starter_dataset``.

    python -m training.train_starter_encoder --data DIR --out checkpoints

1. The region decoder learns the masks on photographs and renderings alike.
2. Statistics are computed once for all pictures; a face's pictures share crop, flip and grain, so that pairs differ in style only.
3. The head and the text vectors are fitted on pairs. The last 40 faces are held out.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from nada_core.assets.store import fetch
from nada_core.encoders.efficientnet_lite import EfficientNetLite0, fold_batch_norms
from nada_core.encoders.starter import INPUT_SIZE, REGIONS, StarterEncoder
from nada_core.system.device import precision_context, tune_cpu_allocator
from training.renderings.face import RenderFace

HELD_OUT = 40
CPU = torch.device("cpu")


def as_images(pictures: np.ndarray) -> Tensor:
    """[N, H, W, 3] uint8 to [N, 3, H, W] in [-1, 1], channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def augment(images: Tensor, rng: np.random.Generator) -> Tensor:
    """One random crop, shift, flip and grain for all pictures of a face."""
    scale, dx, dy = 0.72 + 0.33 * rng.random(), 0.3 * (rng.random() - 0.5), 0.3 * (rng.random() - 0.5)
    theta = torch.tensor([[[scale * rng.choice([-1, 1]), 0, dx], [0, scale, dy]]], dtype=torch.float32)
    grid = F.affine_grid(theta.expand(len(images), -1, -1), list(images.shape), align_corners=False)
    images = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    return images + torch.randn(1, *images.shape[1:]) * 0.06 * rng.random()


def seven_regions(faces: dict[str, np.ndarray], i: int) -> Tensor:
    """Target masks ``[7, 40, 40]``: the five of the generator, with eyes and mouth cut out of the face by the landmarks."""
    image = faces["images"][i].astype(np.float32) / 255
    face = RenderFace(image, faces["landmarks"][i].astype(np.float32), *faces["masks"][i].astype(np.float32))
    eyes = face.around_eyes(1.5, 1.5)
    mouth = np.clip(face.lips + face.mouth_opening, 0, 1) * (1 - eyes)
    rest = np.clip(1 - eyes - mouth, 0, 1)
    masks = [m * rest for m in (face.hair, face.face, face.body, face.clothing, face.background)]
    return F.interpolate(torch.from_numpy(np.stack([*masks, eyes, mouth]))[None], size=INPUT_SIZE // 4, mode="area")[0]


def train_decoder(encoder: StarterEncoder, pictures: np.ndarray, faces: dict[str, np.ndarray], steps: int) -> None:
    """Fit ``statistics.decoder`` with cross-entropy against soft masks."""
    rng = np.random.default_rng(0)
    decoder = encoder.statistics.decoder
    optimiser = torch.optim.AdamW(decoder.parameters(), 3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    train = len(pictures) - HELD_OUT
    targets = torch.stack([seven_regions(faces, i) for i in range(len(pictures))])

    def loss_of(i: np.ndarray, j: np.ndarray) -> tuple[Tensor, Tensor]:
        images, target = as_images(pictures[i, j]), targets[torch.from_numpy(i)]
        theta = torch.tensor(
            [[[1.0 - 0.25 * rng.random(), 0, 0.2 * (rng.random() - 0.5)], [0, 1.0 - 0.25 * rng.random(), 0.2 * (rng.random() - 0.5)]]]
        )
        theta[:, 0, 0] *= rng.choice([-1, 1])
        theta = theta.float().expand(len(i), -1, -1)
        images = F.grid_sample(
            images, F.affine_grid(theta, list(images.shape), align_corners=False), padding_mode="reflection", align_corners=False
        )
        target = F.grid_sample(
            target, F.affine_grid(theta, list(target.shape), align_corners=False), padding_mode="border", align_corners=False
        )
        with torch.no_grad(), precision_context(CPU):
            features = encoder.statistics.backbone(images)
        logits = encoder.statistics.region_logits(features)
        hit = (logits.argmax(1) == target.argmax(1)).float().mean()
        return -(target * logits.log_softmax(1)).sum(1).mean(), hit

    for step in range(steps):
        loss, hit = loss_of(rng.integers(train, size=24), np.where(rng.random(24) < 0.25, 0, rng.integers(pictures.shape[1], size=24)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 49:
            with torch.no_grad():
                held = [loss_of(rng.integers(train, len(pictures), size=24), rng.integers(pictures.shape[1], size=24))[1] for _ in range(2)]
            print(
                f"decoder {step + 1}: loss {loss.item():.3f}, pixels right {hit.item():.3f}, unseen {torch.stack(held).mean().item():.3f}",
                flush=True,
            )


@torch.no_grad()
def compute_statistics(encoder: StarterEncoder, pictures: np.ndarray) -> Tensor:
    """``[N, M, dim]`` float16."""
    rng = np.random.default_rng(3)
    n, m = pictures.shape[:2]
    out = torch.empty(n, m, encoder.statistics.dim, dtype=torch.float16)
    start = time.monotonic()
    for i in range(n):
        images = augment(as_images(pictures[i]), rng)
        with precision_context(CPU):
            out[i] = torch.cat([encoder.statistics(chunk) for chunk in images.split(20)]).half()
        if i % 50 == 49:
            print(f"statistics {i + 1}/{n}, {time.monotonic() - start:.0f} s", flush=True)
    return out


class Pairs:
    """Which picture of a face is what, and the direction each pair should have."""

    def __init__(self, plan: dict[str, list]) -> None:
        self.concepts, self.artefacts = len(plan["concepts"]), len(plan["artefacts"])
        self.mixtures = torch.tensor(plan["mixtures"])  # [N, J, 2]
        self.singles = self.concepts + self.artefacts

    def directions(self, text: Tensor, artefacts: Tensor) -> Tensor:
        """Unit directions from the photograph, ``[concepts + artefacts, D]``."""
        text = F.normalize(text, dim=-1)
        return F.normalize(torch.cat([text[1:] - text[:1], artefacts]), dim=-1)


def fit_head(encoder: StarterEncoder, statistics: Tensor, plan: dict[str, list], steps: int) -> dict[str, float]:
    """Fit hidden and project, with a vector for each concept that is not kept; return accuracy and cosine on held-out faces."""
    pairs = Pairs(plan)
    n = len(statistics)
    train, k, singles = n - HELD_OUT, pairs.concepts, pairs.singles
    mixtures = slice(1 + singles, 1 + singles + pairs.mixtures.shape[1])
    flat = statistics[:train, : 1 + k].float().flatten(0, 1)
    encoder.mean.copy_(flat.mean(0))
    encoder.deviation.copy_(flat.std(0) * 0.7 + 1e-3)
    encoder.photo_plain.copy_(encoder.standardise(statistics[:train, 0].float()).mean(0))
    text, artefacts = (nn.Parameter(torch.randn(count, len(encoder.photo_learned)) * 0.3) for count in (1 + k, pairs.artefacts))
    temperature, nothing = nn.Parameter(torch.tensor(2.3)), nn.Parameter(torch.tensor(0.2))
    parameters = [*encoder.hidden.parameters(), *encoder.project.parameters(), text, artefacts, temperature, nothing]
    optimiser = torch.optim.AdamW(parameters, 1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)

    def embed(x: Tensor, dropout: float) -> Tensor:
        x = F.dropout(x + torch.randn_like(x) * 0.15 * (dropout > 0), dropout, dropout > 0)
        return encoder.learned(x)

    def directions_of(x: Tensor, dropout: float) -> tuple[Tensor, Tensor, Tensor]:
        """Embeddings of standardised statistics ``[B, M, dim]``, their unit directions from the photograph, and those there should be."""
        e = embed(x, dropout)
        return e, F.normalize(e[:, 1:] - e[:, :1], dim=-1), pairs.directions(text, artefacts)

    for step in range(steps):
        i = torch.randint(0, train, (16,))
        x = encoder.standardise(statistics[i].float())
        # half-way pictures point the same way as finished ones: a generator starts at the photograph and has to find the path
        share = torch.rand(len(i), x.shape[1], 1) * 0.9 + 0.1
        whole = torch.rand(len(i), x.shape[1], 1) < 0.5
        share[whole] = 1.0
        x = x[:, :1] + share * (x - x[:, :1])
        e, moved, targets = directions_of(x, 0.25)
        cosines = moved @ targets.T  # [B, M - 1, singles]
        single = cosines[:, :singles]
        logits = torch.cat([cosines, nothing.expand(*cosines.shape[:-1], 1)], -1) * temperature.exp().clamp(max=20)
        keep = torch.cat(
            [torch.arange(singles), torch.arange(cosines.shape[1] - 2, cosines.shape[1])]
        )  # single changes and the distortions
        labels = torch.cat([torch.arange(singles), torch.full((2,), singles)])
        classify = F.cross_entropy(logits[:, keep].flatten(0, 1), labels.repeat(len(i)))
        align = (1 - single.diagonal(dim1=1, dim2=2)).mean()
        # a concept with a flaw is neither the concept nor the flaw, but their sum: the flaw stays visible to the loss
        concept, flaw = pairs.mixtures[i].unbind(-1)
        blend = F.normalize(targets[concept] + 0.7 * targets[k + flaw], dim=-1)
        mixed = (1 - (F.normalize(e[:, mixtures] - e[:, :1], dim=-1) * blend).sum(-1)).mean()
        # the embedding itself sits on its text vector: the loss has a place to stop, not only a way to go
        at = 15 * e[:, : 1 + k] @ F.normalize(text, dim=-1).T
        finished = (share[:, : 1 + k, 0] == 1).flatten()
        finished[:: 1 + k] = True
        place = F.cross_entropy(at.flatten(0, 1)[finished], torch.arange(1 + k).repeat(len(i))[finished])
        loss = classify + 0.6 * align + 0.6 * mixed + 0.5 * place
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 250 == 249:
            print(
                f"head {step + 1}: classify {classify.item():.3f} align {align.item():.3f} "
                f"mixed {mixed.item():.3f} place {place.item():.3f}",
                flush=True,
            )
    with torch.no_grad():
        encoder.photo_learned.copy_(F.normalize(text[0], dim=0))
        x = encoder.standardise(statistics[train:].float())
        e, moved, targets = directions_of(x, 0.0)
        cosines = moved[:, :k] @ targets[:k].T
        right = (cosines.argmax(-1) == torch.arange(k)).float().mean(0)
        own = cosines.diagonal(dim1=1, dim2=2).mean(0)
    for name, accuracy, cosine in zip(plan["concepts"], right.tolist(), own.tolist(), strict=True):
        if accuracy < 0.97 or cosine < 0.8:
            print(f"  {name}: accuracy {accuracy:.2f}, cosine {cosine:.2f}")
    return {"direction_accuracy_unseen": round(right.mean().item(), 4), "cosine_unseen": round(own.mean().item(), 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--decoder-steps", type=int, default=300)
    parser.add_argument("--steps", type=int, default=2000)
    args = parser.parse_args()
    tune_cpu_allocator()
    torch.manual_seed(0)
    backbone = EfficientNetLite0().eval().requires_grad_(False)
    backbone.load_state_dict(fold_batch_norms(torch.load(fetch("efficientnet-lite0"), weights_only=True)))
    plan = json.loads((args.data / "layout.json").read_text())
    encoder = StarterEncoder(backbone)
    pictures = np.load(args.data / "renderings.npy", mmap_mode="r")
    cache = args.data / "statistics.pt"
    if cache.exists():
        saved = torch.load(cache, weights_only=True)
        encoder.statistics.decoder.load_state_dict(saved["decoder"])
    else:
        trained = args.data / "decoder.pt"
        if trained.exists():
            encoder.statistics.decoder.load_state_dict(torch.load(trained, weights_only=True))
        else:
            train_decoder(encoder, pictures, dict(np.load(args.data / "faces.npz")), args.decoder_steps)
            torch.save(encoder.statistics.decoder.state_dict(), trained)
        saved = {"decoder": encoder.statistics.decoder.state_dict(), "statistics": compute_statistics(encoder, pictures)}
        torch.save(saved, cache)
    figures = fit_head(encoder, saved["statistics"], plan, args.steps)
    card = {
        "what": "trained parts of the starter image-text encoder: region decoder, head, and what a plain photograph is",
        "trained_on": f"{len(pictures) - HELD_OUT} generated faces, {pictures.shape[1]} procedural renderings each; "
        f"{HELD_OUT} faces held out",
        "regions": list(REGIONS),
        **figures,
    }
    tensors = {n: t.half().contiguous() for n, t in encoder.state_dict().items() if not n.startswith("statistics.backbone.")}
    args.out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, args.out / "starter-encoder.safetensors", metadata={"card": json.dumps(card)})
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
