"""Looks painted on a synthetic face: every name draws, colours land where they should, shapes move what they should."""

from __future__ import annotations

import itertools
from dataclasses import replace

import cv2
import numpy as np
import pytest

from nada_core.alignment.by_hand import mean_face
from nada_core.looks.drawing import DrawnFace, draw, face_from
from nada_core.looks.drawing.mark_ornaments import ORNAMENTS
from nada_core.looks.drawing.marks import COLOURS, DRAWINGS
from nada_core.looks.drawing.materials import TABLE
from nada_core.looks.drawing.media_lines import LINES
from nada_core.looks.drawing.media_paint import PAINT
from nada_core.looks.drawing.media_tiles import TILES
from nada_core.looks.drawing.operations import lab, statistics
from nada_core.looks.drawing.paints import part_mask
from nada_core.looks.drawing.processes import FILMS, SCREENS
from nada_core.looks.look import MARKS, MATERIALS, MEDIA, PARTS, PROCESSES, SHAPES, TEXTURES, Look, Mark, Paint

LIGHT = ((70, 14, 18), (30, 6, 12))
DARK = ((30, 12, 16), (12, 2, 3))


def oval(size: int, x: float, y: float, a: float, b: float) -> np.ndarray:
    mask = np.zeros((size, size), np.float32)
    scale = size / 256
    cv2.ellipse(mask, (round(x * scale), round(y * scale)), (round(a * scale), round(b * scale)), 0, 0, 360, 1, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(mask, (0, 0), 1.2 * scale)


def drawn_person(tones=LIGHT, size: int = 256) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A face of ovals: its picture, region shares and landmarks."""
    rng = np.random.default_rng(1)
    p = mean_face() * size / 256
    face = oval(size, 127, 150, 74, 92)
    head = oval(size, 127, 125, 96, 118)
    neck = oval(size, 127, 250, 42, 40) * (1 - face)
    cloth = oval(size, 127, 300, 130, 70) * (1 - face) * (1 - neck)
    hair = head * (1 - face) * (1 - neck) * (1 - cloth)
    skin_lab, hair_lab = tones
    _, x = np.mgrid[:size, :size].astype(np.float32) / size
    image = np.zeros((size, size, 3), np.float32) + np.float32([60, -10, -14])
    for mask, colour in ((hair, hair_lab), (cloth, (40, 10, -30)), (neck, skin_lab), (face, skin_lab)):
        image = image * (1 - mask[..., None]) + np.float32(colour) * mask[..., None]
    image[..., 0] += 22 * (0.5 - x) + 3 * cv2.GaussianBlur(rng.standard_normal((size, size)).astype(np.float32), (0, 0), 1.5) / 0.2
    for eye in (p[36:42], p[42:48]):
        cv2.fillPoly(image, [np.round(eye).astype(np.int32)], (88, 0, 2))
        cv2.circle(image, tuple(int(v) for v in eye.mean(0).round()), max(2, round(5 * size / 256)), (18, 4, 6), -1)
    cv2.fillPoly(image, [np.round(p[48:60]).astype(np.int32)], (skin_lab[0] * 0.75, 30, 14))
    cv2.fillPoly(image, [np.round(p[60:68]).astype(np.int32)], (90, 0, 4))
    for brow in (p[17:22], p[22:27]):
        cv2.polylines(image, [np.round(brow).astype(np.int32)], False, (hair_lab[0], 4, 6), max(1, round(4 * size / 256)))
    nose = np.round(p[31:36]).astype(np.int32)
    cv2.polylines(image, [nose], False, (skin_lab[0] * 0.6, 14, 12), 2)
    image[..., 0] = image[..., 0].clip(2, 98)
    rgb = np.clip(cv2.cvtColor(image, cv2.COLOR_LAB2RGB), 0, 1)
    regions = np.stack([hair, face, neck, cloth, np.clip(1 - hair - face - neck - cloth, 0, 1), np.zeros_like(hair), np.zeros_like(hair)])
    return rgb, np.stack([cv2.resize(r, (40, 40), interpolation=cv2.INTER_AREA) for r in regions]), p


def made(tones=LIGHT, size: int = 256) -> DrawnFace:
    return face_from(*drawn_person(tones, size))


@pytest.fixture(scope="module")
def face() -> DrawnFace:
    return made()


@pytest.fixture(scope="module")
def twin() -> DrawnFace:
    """The same face, made and drawn on by itself."""
    return made()


@pytest.fixture(scope="module")
def dark_face() -> DrawnFace:
    return made(DARK)


#: kind -> names and the look that has nothing but this name
KINDS = {
    "texture": (TEXTURES, lambda name: Look(paints={"skin": Paint(texture=name)})),
    "material": (MATERIALS, lambda name: Look(material=name)),
    "medium": (MEDIA, lambda name: Look(medium=name)),
    "process": (PROCESSES, lambda name: Look(process=name)),
    "mark": (tuple(MARKS), lambda name: Look(marks=(Mark(name),))),
    "shape": (tuple(SHAPES), lambda name: Look(shape={name: 1.0})),
}
#: mean difference over the whole picture below which nobody would see a change
VISIBLE = {"texture": 0.006, "material": 0.05, "medium": 0.03, "process": 0.03, "mark": 0.0006, "shape": 0.002}
#: kinds with so many names that drawing each takes more than half a second
MANY = {"medium", "mark", "material"}
#: small in nature: one iris is a two-thousandth of the picture
SMALL = {"other eye": 0.0003, "beauty spot": 0.0001}


def test_every_name_has_a_drawing():
    assert set(TABLE) == set(MATERIALS)
    assert {*LINES, *PAINT, *TILES} == set(MEDIA)
    assert len(LINES) + len(PAINT) + len(TILES) == len(MEDIA), "a medium is drawn in one way"
    assert {*FILMS, *SCREENS} == set(PROCESSES)
    assert {*DRAWINGS, *ORNAMENTS, "bald"} == set(MARKS), "a bald head is shaven before the paints"
    assert set(DRAWINGS) <= set(COLOURS), "a mark has a colour where none is said"


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.heavy) if kind in MANY else kind for kind in KINDS])
def test_every_name_draws_something_of_its_own(kind, face):
    names, look = KINDS[kind]
    small = {}
    for name in names:
        picture = draw(look(name), face)
        assert picture.shape == face.image.shape and picture.dtype == np.float32, name
        assert np.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1, name
        assert np.abs(picture - face.image).mean() > SMALL.get(name, VISIBLE[kind]), f"{name} can hardly be seen"
        small[name] = cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA)
    for one, other in itertools.combinations(names, 2):
        least = min(SMALL.get(name, VISIBLE[kind]) for name in (one, other))
        assert cv2.norm(small[one], small[other], cv2.NORM_L1) / small[one].size > 0.3 * least, f"{one} looks like {other}"


@pytest.mark.parametrize("look", [look(names[-1]) for names, look in KINDS.values()])
def test_a_seed_gives_one_picture(look, face, twin):
    assert np.array_equal(draw(look, face, 3), draw(look, twin, 3))


@pytest.mark.parametrize(("whole", "name"), [("material", "bronze"), ("medium", "watercolour"), ("process", "sepia")])
def test_an_amount_is_a_share_of_the_way(whole, name, face):
    plain, all_of_it = face.image, draw(Look(**{whole: name}), face)
    far = [np.abs(draw(Look(**{whole: name}, amounts={whole: a}), face) - plain).mean() for a in (0.35, 0.7, 1.0, 1.25)]
    assert far == sorted(far) and len(set(far)) == 4
    assert np.array_equal(draw(Look(**{whole: name}, amounts={whole: 1.0}), face), all_of_it)


def test_a_bald_head_takes_the_paint_of_the_skin(face):
    top = np.s_[48:62, 118:136]  # in the hair, above the forehead
    plain, bald = draw(Look(), face)[top], draw(Look(marks=(Mark("bald"),)), face)[top]
    assert lab(bald)[..., 0].mean() > lab(plain)[..., 0].mean() + 15, "skin is lighter than this hair"
    blue = draw(Look(marks=(Mark("bald"),), paints={"skin": Paint((46, 2, -42))}), face)[top]
    assert lab(blue)[..., 2].mean() < -20


def test_a_detail_lies_over_the_material(face):
    statue = Look(material="gold", paints={"lips": Paint((42, 58, 38))})
    under, over = draw(statue, face), draw(replace(statue, over=("lips",)), face)
    reds = [statistics(lab(picture), face.lips)[0][1] for picture in (under, over)]
    assert reds[1] > reds[0] + 20


def test_a_grin_is_wider_than_a_faint_painted_smile(face):
    faint, whole = (draw(Look(marks=(Mark("painted smile", a, (36, 56, 36)),)), face) for a in (0.55, 1.0))
    changed = [(np.abs(picture - face.image).max(-1) > 0.08).any(0).sum() for picture in (faint, whole)]
    assert changed[1] > changed[0] + 6


def test_seeds_move_what_is_random(face):
    look = Look(paints={"skin": Paint(texture="cracked")})
    assert np.abs(draw(look, face, 0) - draw(look, face, 1)).mean() > 0.005


def test_an_empty_look_leaves_the_picture(face):
    assert np.array_equal(draw(Look(), face), face.image)


def test_drawing_leaves_the_face_as_it_is(face):
    before = face.image.copy()
    draw(Look(paints={"skin": Paint((45, -35, 30), texture="scaly")}, medium="oil", shape={"smile": 1}), face)
    assert np.array_equal(before, face.image)


@pytest.mark.parametrize("tones", ["light", "dark"])
@pytest.mark.parametrize(
    ("part", "colour"),
    [
        ("skin", (48, -34, 32)), ("skin", (86, 0, 2)), ("skin", (42, -8, -38)), ("hair", (55, 55, -30)), ("hair", (80, 2, 30)),
        ("lips", (25, 20, -25)),
        ("background", (50, 20, -55)), ("clothing", (42, 55, 40)), ("cheeks", (55, 55, 10)), ("around the eyes", (22, 18, -28)),
        ("beard", (42, -36, 28)), ("teeth", (70, 4, 60)),
    ],
)  # fmt: skip
def test_a_painted_part_reaches_its_colour_on_light_and_dark_people(tones, part, colour, face, dark_face):
    person = {"light": face, "dark": dark_face}[tones]
    mask = part_mask(person, part)
    sure = (mask > 0.9 * mask.max()).astype(np.float32)
    if part == "skin":
        sure = sure * (person.plain_skin > 0.85)
    mean = statistics(lab(draw(Look(paints={part: Paint(colour, 1.0)}), person)), sure)[0]
    assert np.linalg.norm(mean - np.float32(colour)) < 12, mean


def test_parts_that_are_not_named_stay(face):
    regions = {"hair": face.hair, "clothing": face.clothing, "background": face.background, "skin": face.plain_skin * face.face}
    for part in ("hair", "skin", "clothing", "background"):
        painted = draw(Look(paints={part: Paint((45, -40, 35))}), face)
        for other, mask in regions.items():
            if other != part:
                sure = (mask > 0.97).astype(np.float32)
                moved = statistics(lab(painted), sure)[0] - statistics(lab(face.image), sure)[0]
                assert np.linalg.norm(moved) < 3, f"{part} painted, {other} changed by {moved}"


def test_eyes_are_painted_in_the_irises_only(face):
    done = draw(Look(paints={"eyes": Paint((55, -20, -42))}), face)
    changed = np.abs(done - face.image).sum(-1) > 0.1
    assert changed.any() and not (changed & (face.eye_openings < 0.05)).any()


def test_the_light_and_brightness_reach_the_whole_picture(face):
    green = lab(draw(Look(paints={"light": Paint((60, -50, 45))}), face))
    assert green[..., 1].mean() < -20
    night, noon = draw(Look(brightness=-1), face), draw(Look(brightness=1), face)
    assert night.mean() < 0.5 * face.image.mean() < face.image.mean() < noon.mean() < 1


def shape_moves(name: str, amount: float, face: DrawnFace) -> np.ndarray:
    """How far each landmark goes right and down."""
    from nada_core.looks.drawing.shape import reshaped

    return reshaped(face, {name: amount}, np.random.default_rng(0)).landmarks - face.landmarks


def test_shapes_move_the_landmarks_they_name(face):
    outer = np.linalg.norm(face.landmarks[45] - face.landmarks[36])
    smile = shape_moves("smile", 1, face)
    assert (smile[54] - smile[48])[0] > 0.15 * outer and smile[48, 1] < -0.05 * outer and smile[54, 1] < -0.05 * outer
    assert shape_moves("smile", -1, face)[48, 1] > 0.05 * outer
    p = face.landmarks
    wide = p + shape_moves("big eyes", 1, face)
    assert (wide[41, 1] - wide[37, 1]) > 1.3 * (p[41, 1] - p[37, 1])
    for name, landmark, axis, sign in (
        ("open mouth", 57, 1, 1), ("wide face", 3, 0, -1), ("long face", 8, 1, 1), ("long nose", 33, 1, 1), ("wide nose", 35, 0, 1),
        ("strong chin", 8, 1, 1),
        ("full lips", 57, 1, 1), ("raised brows", 19, 1, -1), ("full cheeks", 13, 0, 1),
    ):  # fmt: skip
        assert sign * shape_moves(name, 1, face)[landmark, axis] > 0.03 * outer, name
        if name != "open mouth":
            assert sign * shape_moves(name, -1, face)[landmark, axis] < -0.02 * outer, name


def test_pixels_follow_the_landmarks(face):
    picture = draw(Look(shape={"raised brows": 1.0}), face)
    x, y = face.landmarks[19].round().astype(int)

    def brow(image):
        return int(np.argmin(cv2.GaussianBlur(image, (0, 0), 1.5)[y - 20 : y + 12, x].sum(-1)))

    assert brow(picture) < brow(face.image) - 3


def test_a_shape_leaves_the_border_of_the_picture(face):
    for name in ("smile", "wide face", "big eyes", "long face"):
        change = np.abs(draw(Look(shape={name: 1.0}), face) - face.image)
        assert change[:3].max() < 0.15 and change[:, :3].max() < 0.15, name


def test_a_medium_works_on_top_of_paints(face):
    paints = {"skin": Paint((45, -35, 30)), "hair": Paint((50, 50, -40))}
    for medium in ("oil", "cartoon", "coloured pencil", "mosaic"):
        done = lab(draw(Look(paints=paints, medium=medium), face))
        assert statistics(done, face.plain_skin * face.face)[0][1] < -8, medium
    grey = lab(draw(Look(paints=paints, medium="pencil"), face))
    assert np.abs(grey[..., 1:]).mean() < 6


def test_marks_stay_visible_in_a_material(face):
    gold, masked = (draw(Look(material="gold", marks=marks), face) for marks in ((), (Mark("eye mask"),)))
    ring = part_mask(face, "around the eyes") > 0.5
    assert np.abs(gold - masked)[ring].mean() > 0.1


def test_a_tint_colours_a_material(face):
    tinted = statistics(lab(draw(Look(material="marble", tint=(55, -35, 10)), face)), face.skin)[0]
    assert tinted[1] < -15


@pytest.mark.parametrize("size", [160, 320])
def test_other_sizes_draw_too(size):
    person = made(size=size)
    look = Look(paints={"skin": Paint((45, -35, 30), texture="scaly")}, marks=(Mark("stitches"),), medium="cartoon", shape={"smile": 1})
    picture = draw(look, person)
    assert picture.shape == (size, size, 3) and np.isfinite(picture).all()


class StandInTensor:
    """What the drawings use of a tensor: importing torch takes longer than all these tests."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def detach(self) -> StandInTensor:
        return self

    cpu = float = detach

    def numpy(self) -> np.ndarray:
        return self.values


def test_faces_come_from_tensors_and_arrays():
    image, shares, landmarks = drawn_person()
    tensor = StandInTensor(image.transpose(2, 0, 1) * 2 - 1)
    one, other = face_from(image, shares, landmarks), face_from(tensor, StandInTensor(shares), landmarks)
    assert np.allclose(one.image, other.image, atol=1e-5) and np.allclose(one.hair, other.hair, atol=1e-3)
    with pytest.raises(ValueError, match="7 regions"):
        face_from(image, shares[:5], landmarks)


def test_masks_share_the_picture_out(face):
    total = face.hair + face.face + face.body + face.clothing + face.background
    assert np.allclose(total, 1, atol=0.02)
    for part in PARTS:
        mask = part_mask(face, part)
        assert mask.min() >= 0 and mask.max() <= 1 and mask.max() > 0.5, part


def test_strokes_are_drawn_in_the_colour_that_is_said(face):
    grey, red = (lab(draw(look, face, 1)) for look in (Look(medium="pencil"), Look(medium="pencil", tint=(46, 62, 44))))
    strokes = grey[..., 0] < 60
    assert red[strokes][:, 1].mean() > 25 > grey[strokes][:, 1].mean() and np.abs(red[~strokes & (grey[..., 0] > 95)][:, 1]).mean() < 6


def test_a_part_that_is_to_be_as_it_is_shows_through_everything(face):
    grey = draw(Look(process="black and white", over=("lips",)), face)
    inside = face.lips > 0.9
    assert np.abs(grey - face.image)[inside].mean() < 0.05 < np.abs(grey - face.image)[face.hair > 0.9].mean()


def test_thick_white_paint_leaves_all_skin_alike_and_thin_paint_does_not(face, dark_face):
    def cheeks(person, amount):
        painted = lab(draw(Look(paints={"skin": Paint((88, 0, 1), amount)}), person))
        return float(statistics(painted, person.cheeks)[0][0])

    thick, thin = ([cheeks(person, amount) for person in (dark_face, face)] for amount in (0.9, 0.4))
    assert all(abs(light - 88) < 3 for light in thick)
    assert thin[1] - thin[0] > 10, "a thin paint lets the skin through"


@pytest.mark.parametrize("colour", [(76, -1, -3), (70, 22, 20), (72, 8, 58)], ids=["silver", "rose gold", "gold"])
def test_metal_is_not_burnt_out_and_keeps_its_hue(face, colour):
    shown = lab(draw(Look(paints={"skin": Paint(colour, 0.92, texture="metallic")}), face))[face.plain_skin > 0.9]
    assert abs(shown[:, 0].mean() - colour[0]) < 14 and (shown[:, 0] > 97).mean() < 0.06
    assert np.hypot(*(shown[:, 1:].mean(0) - colour[1:])) < 14
