"""Around a portrait: faces placed by hand, advice, measures, films and sheets, and the words of the command line. No networks."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from nada_core.alignment.by_hand import landmarks_from_points, mean_face
from nada_core.alignment.ffhq import crop_face, ffhq_quad
from nada_core.cli.edit import parse_blend, parse_points, parse_strength
from nada_core.editing.notes import photo_notes, result_notes
from nada_core.editing.time_estimate import FITTING_STAGE, Pace
from nada_core.errors import NadaError, OptionsError, PhotoError
from nada_core.images.films import gif_bytes, ramp, save_gif
from nada_core.images.sheets import AI_NOTE, download_metadata, side_by_side
from nada_core.metrics import likeness, reconstruction_error
from nada_core.styles.mixing import Strength

# -- faces placed by hand


def test_clicks_on_the_mean_face_give_the_whole_crop():
    mean = mean_face()
    clicks = [mean[36:42].mean(0), mean[42:48].mean(0), (mean[48] + mean[54]) / 2]
    landmarks = landmarks_from_points(clicks)
    np.testing.assert_allclose(landmarks, mean, atol=1e-9)
    quad = ffhq_quad(landmarks)
    # the mean face was measured in FFHQ crops of 256 px: its own crop must be about that square
    np.testing.assert_allclose(quad, [[-0.5, -0.5], [-0.5, 255.5], [255.5, 255.5], [255.5, -0.5]], atol=6)


def test_eyes_may_be_named_in_either_order_and_the_face_may_be_turned():
    upright = landmarks_from_points([(100, 100), (160, 100), (130, 170)])
    np.testing.assert_allclose(landmarks_from_points([(160, 100), (100, 100), (130, 170)]), upright)
    overturned = landmarks_from_points([(160, 170), (100, 170), (130, 100)])
    np.testing.assert_allclose(overturned[36:42].mean(0), (160, 170))
    picture = np.zeros((300, 300, 3), np.uint8)
    picture[165:176, 155:166] = 255  # the eye that a person standing on their head has on the crop's left
    crop = np.asarray(crop_face(Image.fromarray(picture), overturned, 256))
    y, x = np.argwhere(crop[..., 0] > 128).mean(0)
    assert x < 128 and y < 150


@pytest.mark.parametrize(
    "points",
    [
        [],
        [(1, 2)],
        [(1, 1), (1, 1), (1, 1)],
        [(0, 0), (100, 0), (50, 1)],
        [(0, 0), (9, 0), (5, 400)],
        [(0, 0), (50, float("nan")), (1, 1)],
        "abc",
    ],
)
def test_points_that_form_no_face(points):
    with pytest.raises(PhotoError, match="eye"):
        landmarks_from_points(points)


# -- advice and measures


def aligned(brightness: float = 0.5, colour: float = 0.2, landmarks=None, size=(400, 400), faces: int = 1):
    pixels = np.full((256, 256, 3), brightness, np.float32)
    pixels[..., 0] += colour
    points = mean_face() if landmarks is None else landmarks
    return SimpleNamespace(
        crop=Image.fromarray((255 * pixels.clip(0, 1)).astype(np.uint8)), photo=Image.new("RGB", size), faces=(None,) * faces, face=0,
        size=200.0, photo_landmarks=points, landmarks=points,
    )  # fmt: skip


def test_a_good_photo_needs_no_advice():
    assert photo_notes(aligned()) == []
    assert result_notes(0.2, 0.5, "balanced") == []


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        (aligned(brightness=0.05, colour=0.05), "very dark"),
        (aligned(colour=0.0), "no colour"),
        (aligned(size=(400, 180)), "cut by the edge"),
        (aligned(landmarks=mean_face() + np.where(np.arange(68) == 30, 1, 0)[:, None] * (60, 0)), "turned far"),
        (aligned(faces=3), "3 faces"),
    ],
)
def test_what_limits_a_photo_is_said(photo, words):
    notes = photo_notes(photo)
    assert len(notes) == 1 and words in notes[0]


def test_advice_when_the_person_is_lost():
    assert "faithful" in result_notes(0.5, None, "fast")[0]
    assert "faithful" not in result_notes(0.5, None, "faithful")[0]
    assert "lower strength" in result_notes(0.2, 0.7, "balanced")[0]


def test_measures():
    assert likeness(0) == 1 and likeness(0.6) == pytest.approx(0.5) and likeness(2) == 0
    black, white = torch.full((2, 3, 64, 64), -1.0), torch.full((2, 3, 64, 64), 1.0)
    torch.testing.assert_close(reconstruction_error(black, white), torch.full((2,), 2.0))
    assert reconstruction_error(black, black).max() == 0


def test_pace_is_the_median_gap_of_each_kind():
    from nada_core.inversion.optimisation import LATENT_STAGE, TUNING_STAGE, InvertOptions

    names = ["encoding", LATENT_STAGE, LATENT_STAGE, LATENT_STAGE, TUNING_STAGE, TUNING_STAGE, TUNING_STAGE]
    pace = Pace().after(list(zip(names, [0, 1, 1.2, 1.4, 9, 9.5, 10.0])))
    assert pace.step == pytest.approx({LATENT_STAGE: 0.2, TUNING_STAGE: 0.5}) and not pace.complete
    whole = pace.after([(FITTING_STAGE, 20.0), (FITTING_STAGE, 21.5), (FITTING_STAGE, 22.5), (FITTING_STAGE, 23.5)])
    options = InvertOptions(latent_steps=10, tuning_steps=20)
    assert whole.complete and whole.seconds(options, portraits=0) == pytest.approx(22 * 1.0)  # a style's twenty steps, and what is around
    assert whole.seconds(options, looks=0) == pytest.approx(0.2 * 16 + 10)
    assert whole.seconds(options, 2, 3) == pytest.approx(2 * 13.2 + 3 * 22)
    assert Pace().after([("encoding", 0.0)]).step == {}
    assert whole.after([(TUNING_STAGE, 0.0), (TUNING_STAGE, 9.0)]).step[TUNING_STAGE] == 9.0  # the newest work counts


# -- things to take away


def test_a_film_goes_there_and_back(tmp_path):
    frames = [Image.new("RGB", (32, 32), (round(255 * value), 0, 0)) for value in ramp(5)]
    save_gif(frames, tmp_path / "new" / "ramp.gif", AI_NOTE)
    with Image.open(tmp_path / "new" / "ramp.gif") as film:
        assert film.n_frames == 8 and film.info["loop"] == 0 and film.info["comment"].decode() == AI_NOTE
        reds = []
        for number in range(film.n_frames):
            film.seek(number)
            reds.append(film.convert("RGB").getpixel((3, 3))[0])
    assert reds[0] < 10 and reds[4] > 245 and reds[:5] == sorted(reds[:5]) and reds[5:] == reds[3:0:-1]


def test_ramps_start_and_end_where_they_should():
    values = ramp(6, 1.2)
    assert values[0] == 0 and values[-1] == pytest.approx(1.2) and values == sorted(values)
    with pytest.raises(ValueError, match="at least 2"):
        ramp(1)


def test_a_film_on_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(NadaError, match="folder is a file"):
        save_gif([Image.new("RGB", (8, 8))] * 2, tmp_path / "out" / "ramp.gif", "x")


@pytest.mark.heavy
def test_films_hold_their_size():
    noise = [Image.fromarray(np.random.default_rng(i).integers(0, 255, (256, 256, 3), np.uint8)) for i in range(14)]
    film = gif_bytes(noise, "x")
    assert len(film) < 4 << 20
    assert Image.open(io.BytesIO(film)).size == (256, 256)


def test_sheets_show_every_picture_under_its_caption():
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    row = [Image.new("RGB", (64, 64), colour) for colour in colours]
    sheet = side_by_side([row, row[::-1]], ["photo", "rebuilt", "a very long caption that cannot fit in here"], 96)
    pixels = np.asarray(sheet)
    for colour in colours:
        assert (pixels == colour).all(-1).sum() == 2 * 96 * 96
    assert (pixels[:14] < 100).any()  # captions are written
    titled = np.asarray(side_by_side([row, row[::-1]], ["1", "2", "3"], 96, ["first", "second"]))
    assert titled.shape[0] == pixels.shape[0] + 2 * 18
    tops = [int(np.argmax((titled == colour).all(-1).any(1))) for colour in colours]
    assert len(set(tops)) == 1 and (titled[tops[0] - 18 : tops[0]] < 100).any()  # under its heading
    with pytest.raises(ValueError, match="3 pictures"):
        side_by_side([row[:2]], ["a", "b", "c"])
    assert download_metadata("joker", "1", "starter")["Comment"].startswith("AI-generated")


# -- the command line's words


def test_words_of_the_command_line():
    assert parse_blend("joker") == "joker" and parse_blend("joker:0.6, zombie:0.4") == [("joker", 0.6), ("zombie", 0.4)]
    assert parse_strength("0.7") == Strength.even(0.7) and parse_strength("0,1,0.5") == Strength(0, 1, 0.5)
    assert parse_points("1,2,3,4,5,6") == [(1, 2), (3, 4), (5, 6)] and parse_points(None) is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("joker:0.6", [("joker", 0.6)]),
        ("joker,zombie", [("joker", 1.0), ("zombie", 1.0)]),
        ("hf:user/repo", "hf:user/repo"),
        ("hf:user/repo:0.6", [("hf:user/repo", 0.6)]),
        ("hf:user/repo,joker", [("hf:user/repo", 1.0), ("joker", 1.0)]),
        ("joker:0.3,hf:user/repo/a.safetensors@v1:0.7", [("joker", 0.3), ("hf:user/repo/a.safetensors@v1", 0.7)]),
        ("one, two.safetensors", "one, two.safetensors"),
        ("one, two.safetensors:0.5", [("one, two.safetensors", 0.5)]),
        ("joker:0.2,one, two.safetensors:0.8", [("joker", 0.2), ("one, two.safetensors", 0.8)]),
        ("one, two.safetensors,joker", [("one, two.safetensors", 1.0), ("joker", 1.0)]),
        ("a:1.safetensors", "a:1.safetensors"),
        ("a:1.safetensors:2,joker", [("a:1.safetensors", 2.0), ("joker", 1.0)]),
        ("Hello, World: 2", "Hello, World: 2"),
        ("Hello, World: 2:0.5,joker", [("Hello, World: 2", 0.5), ("joker", 1.0)]),
        ("C:\\missing.safetensors", "C:\\missing.safetensors"),
        ("x" * 5000, "x" * 5000),
        ("nul\x00", "nul\x00"),
    ],
)
def test_blends(tmp_path, monkeypatch, text, parts):
    monkeypatch.chdir(tmp_path)
    for name in ("one, two.safetensors", "a:1.safetensors"):
        (tmp_path / name).touch()
    assert parse_blend(text, known={"Hello, World: 2", "joker"}.__contains__) == parts


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_blend, "joker:a,zombie:1"),
        (parse_blend, "hf:user/repo:x,joker"),
        (parse_blend, ":0.5,joker"),
        (parse_strength, "much"),
        (parse_strength, "1,2"),
        (parse_strength, "3"),
        (parse_points, "1,2,3"),
    ],
)
def test_words_that_mean_nothing(parse, text):
    with pytest.raises(OptionsError):
        parse(text)
