"""Films that tests make themselves: portraits that move, turn, grow and get brighter, with a tone, encoded by PyAV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from PIL import Image

from nada_core.assets.shipped import PORTRAIT
from tests.helpers.folders import ROOT

__all__ = ["BACKGROUND", "Pose", "flicker", "frames_of", "moving", "portraits", "read_film", "sound_of", "to_frame", "write_film"]

BACKGROUND = (96, 110, 122)
Pose = tuple[float, float, float, float, float]  # centre x and y, side, degrees, light


def portraits() -> list[Image.Image]:
    """The astronaut, and a face that nobody has."""
    woman = ROOT / "nada_core" / "ui" / "photo" / "photos" / "generated-101.jpg"
    return [Image.open(path).convert("RGB") for path in (PORTRAIT, woman)]


def moving(count: int, rate: float = 25.0, centre: tuple[float, float] = (200.0, 150.0), side: float = 260.0) -> list[Pose]:
    """How a head moves that talks: it sways, nods, turns a little, comes nearer, and the light changes."""
    poses = []
    for index in range(count):
        t = index / rate
        x, y = centre[0] + 14 * np.sin(2.1 * t), centre[1] + 6 * np.sin(5.3 * t + 1)
        poses.append((x, y, side * (1 + 0.05 * np.sin(1.3 * t)), 5 * np.sin(1.7 * t), 1 + 0.06 * np.sin(2.9 * t)))
    return poses


def to_frame(pose: Pose, size: tuple[int, int], side: int) -> tuple[np.ndarray, tuple[float, ...]]:
    """Return the matrix from a portrait's coordinates to the frame's, and its inverse as Pillow wants it; both in edges."""
    x, y, wanted, degrees, _ = pose
    scale, angle = wanted / side, np.radians(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    forward = np.column_stack([turn, np.array([x, y]) - turn @ (side / 2, side / 2)])
    back = np.linalg.inv(np.vstack([forward, [0, 0, 1]]))[:2]
    return forward, tuple(float(v) for v in back.ravel())


def frames_of(
    people: Sequence[tuple[Image.Image, Sequence[Pose | None]]], size: tuple[int, int] = (400, 300), noise: float = 2.0
) -> Iterator[np.ndarray]:
    """Frames ``[h, w, 3]``: each person in each pose (None: not there) before a grey wall, with a camera's noise."""
    rng = np.random.default_rng(0)
    for index in range(len(people[0][1])):
        frame = Image.new("RGB", size, BACKGROUND)
        for picture, poses in people:
            pose = poses[index]
            if pose is None:
                continue
            _, back = to_frame(pose, size, picture.width)
            lit = picture.point([min(255, round(v * pose[4])) for v in range(256)] * 3)
            layer = lit.transform(size, Image.Transform.AFFINE, back, Image.Resampling.BICUBIC)
            mask = Image.new("L", picture.size, 255).transform(size, Image.Transform.AFFINE, back, Image.Resampling.BICUBIC)
            frame.paste(layer, (0, 0), mask)
        pixels = np.asarray(frame) + rng.normal(0, noise, (size[1], size[0], 3))
        yield np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def write_film(
    path: Path,
    frames: Iterable[np.ndarray],
    rate: Fraction | int = 25,
    *,
    sound: str | None = "aac",
    turned: int = 0,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    ticks: Sequence[int] | None = None,
    **options: str,
) -> Path:
    """Write a film.

    Args:
        sound: the codec of a tone that is as long as the film, or None.
        turned: degrees anticlockwise by which players turn it.
        ticks: times of the frames, in thousandths of a second.
    """
    rate = Fraction(rate)
    with av.open(str(path), "w") as container:
        video = audio = None
        count = 0
        for pixels in frames:
            if video is None:
                video = container.add_stream(codec, rate=rate, options=options or ({"crf": "12"} if codec == "libx264" else {}))
                video.width, video.height, video.pix_fmt = pixels.shape[1], pixels.shape[0], pix_fmt
                if codec != "libx264" and "mpeg" in codec:
                    video.bit_rate = 4_000_000
                if ticks is not None:
                    video.codec_context.time_base = Fraction(1, 1000)
                if turned:
                    video.set_display_rotation(turned)
                audio = container.add_stream(sound, rate=48000, layout="mono") if sound else None
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = (count, 1 / rate) if ticks is None else (ticks[count], Fraction(1, 1000))
            container.mux(video.encode(frame))
            count += 1
        container.mux(video.encode(None))
        if audio is not None:
            _tone(container, audio, count / rate if ticks is None else Fraction(ticks[-1], 1000))
    return path


def _tone(container, audio, seconds: Fraction) -> None:
    samples = int(seconds * 48000)
    wave = (0.3 * np.sin(2 * np.pi * 440 * np.arange(samples) / 48000)).astype(np.float32)
    resampler = av.AudioResampler(format=audio.codec_context.format.name, layout="mono", rate=48000, frame_size=1024)
    for start in range(0, samples, 1024):
        piece = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave[None, start : start + 1024]), format="fltp", layout="mono")
        piece.sample_rate, piece.pts, piece.time_base = 48000, start, Fraction(1, 48000)
        for ready in resampler.resample(piece):
            container.mux(audio.encode(ready))
    for ready in resampler.resample(None):
        container.mux(audio.encode(ready))
    container.mux(audio.encode(None))


def read_film(path: Path) -> tuple[list[np.ndarray], list[float]]:
    """Frames ``[h, w, 3]`` as a player shows them, and their times in seconds."""
    with av.open(str(path)) as container:
        frames, times = [], []
        for frame in container.decode(video=0):
            frames.append(np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)))
            times.append(float(frame.time))
    return frames, times


def sound_of(path: Path) -> list[bytes]:
    """The packets of sound as they are stored."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.dts is not None]


def flicker(
    originals: Sequence[np.ndarray], results: Sequence[np.ndarray], poses: Sequence[Pose], picture: Image.Image
) -> tuple[float, float]:
    """How much the change of a face differs from frame to frame, once the known movement is taken out, in grey levels.

    Returns:
        The mean of all pixels of the head, and that of the worst pair of frames.
    """
    side = picture.width
    steady = []
    for before, after, pose in zip(originals, results, poses):
        forward, _ = to_frame(pose, before.shape[1::-1], side)
        change = after.astype(np.float32) - before.astype(np.float32)
        planes = [
            Image.fromarray(np.ascontiguousarray(change[..., c])).transform(
                picture.size, Image.Transform.AFFINE, tuple(forward.ravel()), Image.Resampling.BILINEAR
            )
            for c in range(3)
        ]
        # grain of the camera is not what flickers: areas are
        areas = [np.asarray(plane.resize((side // 6, side // 6), Image.Resampling.BOX)) for plane in planes]
        steady.append(np.stack(areas, -1) / pose[4])
    head = np.mean([np.abs(change).max(-1) for change in steady], 0) > 8
    pairs = [float(np.abs(b - a)[head].mean()) for a, b in pairwise(steady)]
    return float(np.mean(pairs)), max(pairs)
