"""An edited crop back in its photo: in the right place, without a box, and nothing else touched. No network is needed."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import skimage.data
from PIL import Image
from scipy import ndimage

from nada_core.alignment.ffhq import crop_face, crop_landmarks, ffhq_quad
from nada_core.editing.paste import change_back, head_mask, oval_mask, paste_back
from nada_core.encoders.starter import REGIONS
from nada_core.errors import PhotoError
from tests.helpers.folders import DATA

FACE = np.load(DATA / "ffhq_align.npz")["center_landmarks"]
ASTRONAUT = {"centre": (225.0, 106.0), "side": 172.0, "angle": 3.0}  # the astronaut's square, turned as her eyes are


def _landmarks(centre: tuple[float, float], side: float, angle: float = 0.0) -> np.ndarray:
    """A face whose square has this centre and side in pixels, turned clockwise by `angle` degrees."""
    quad = ffhq_quad(FACE)
    turn = np.deg2rad(angle)
    matrix = side / np.hypot(*(quad[3] - quad[0])) * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (FACE - quad.mean(0)) @ matrix.T + centre


def _in_crop(landmarks: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Where each pixel of a photo of (width, height) lies in the crop: [2, height, width] as (u, v), 0 to 1 inside."""
    quad = ffhq_quad(landmarks)
    axes = np.stack([quad[3] - quad[0], quad[1] - quad[0]])
    places = np.stack(np.meshgrid(np.arange(size[0]), np.arange(size[1])), axis=-1) - quad[0]
    return np.moveaxis(places @ axes.T / (axes[0] @ axes[0]), -1, 0)


def _on_photo(mask: np.ndarray, landmarks: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The mask [n, n] as the photo should see it, [height, width], by another way than the code under test."""
    u, v = _in_crop(landmarks, size) * len(mask) - 0.5
    return ndimage.map_coordinates(mask, [v, u], order=1, cval=0.0)


def _regions(head: np.ndarray, sure: float = 0.94) -> np.ndarray:
    """Probabilities [7, h, w]: the face where `head` is true, the background elsewhere."""
    shares = np.full((len(REGIONS), *head.shape), (1 - sure) / (len(REGIONS) - 1), np.float32)
    shares[REGIONS.index("face")][head] = sure
    shares[REGIONS.index("background")][~head] = sure
    return shares


def _disc(x: float, y: float, radius: float, side: int = 40) -> np.ndarray:
    place = (np.arange(side) + 0.5) / side
    return (place - x) ** 2 + (place[:, None] - y) ** 2 < radius**2


def _noise(size: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8))


def _brighter(image: Image.Image, levels: float) -> Image.Image:
    return Image.fromarray(np.clip(np.asarray(image).astype(float) + levels, 0, 255).astype(np.uint8))


def _difference(after: Image.Image, before: Image.Image) -> np.ndarray:
    assert after.size == before.size and after.mode == before.mode
    return np.asarray(after).astype(int) - np.asarray(before)


@pytest.fixture(scope="module")
def astronaut() -> Image.Image:
    return Image.fromarray(skimage.data.astronaut())


@pytest.fixture(scope="module")
def head() -> np.ndarray:
    return head_mask(_regions(_disc(0.5, 0.5, 0.3)))


@pytest.mark.parametrize("angle", [0, 20, -100])
@pytest.mark.parametrize("size", [64, 256, 1024])
def test_outside_the_mask_nothing_changes(astronaut: Image.Image, head: np.ndarray, angle: float, size: int) -> None:
    landmarks = _landmarks((240.3, 200.8), 172, angle)
    before = astronaut.copy()
    pasted = paste_back(astronaut, landmarks, _noise(size), head)
    assert astronaut == before  # the photo itself is not written to
    changed = np.abs(_difference(pasted, astronaut)).max(-1)
    alpha = _on_photo(head, landmarks, astronaut.size)
    assert not changed[alpha < 1e-3].any()
    assert (changed[alpha > 0.5] > 0).mean() > 0.98
    places = _in_crop(landmarks, astronaut.size)
    inside = ((places > 0) & (places < 1)).all(0)
    rim = inside ^ ndimage.binary_erosion(inside)
    assert rim.sum() > 400 and not changed[rim].any()  # no box


def test_an_empty_mask_gives_the_photo(astronaut: Image.Image) -> None:
    assert paste_back(astronaut, _landmarks(**ASTRONAUT), _noise(64), np.zeros((8, 8))) == astronaut


@pytest.mark.parametrize(("size", "limit"), [(128, 3.0), (256, 2.0), (1024, 2.0)])
@pytest.mark.parametrize("angle", [3, 40])
def test_the_photos_own_crop_changes_next_to_nothing(
    astronaut: Image.Image, head: np.ndarray, size: int, limit: float, angle: float
) -> None:
    landmarks = _landmarks(**{**ASTRONAUT, "angle": angle})  # side 172: a crop of 128 lacks the finest detail
    pasted = paste_back(astronaut, landmarks, crop_face(astronaut, landmarks, size), head)
    inside = _on_photo(head, landmarks, astronaut.size) > 0.02
    assert np.abs(_difference(pasted, astronaut))[inside].mean() < limit


@pytest.mark.parametrize("angle", [0, 33, -80, 180])
@pytest.mark.parametrize("side", [90, 400, 1300])
def test_a_mark_lands_where_the_crop_shows_it(angle: float, side: float) -> None:
    size, mark = 256, (175.0, 80.0)
    x = np.arange(size)
    dot = np.exp(-((x - mark[0]) ** 2 + (x[:, None] - mark[1]) ** 2) / (2 * 5.0**2))
    edited = Image.fromarray(np.uint8(np.rint(60 + 180 * dot))).convert("RGB")
    photo = Image.new("RGB", (1000, 900), (60, 60, 60))
    landmarks = _landmarks((501.4, 447.7), side, angle)
    light = _difference(paste_back(photo, landmarks, edited, np.ones((32, 32))), photo)[..., 0].astype(float)
    light[light < 20] = 0  # only the dot: the whole box is pasted here
    found = ndimage.center_of_mass(light)[::-1]
    quad = ffhq_quad(landmarks)
    u, v = (np.array(mark) + 0.5) / size
    expected = quad[0] + u * (quad[3] - quad[0]) + v * (quad[1] - quad[0])
    assert np.abs(np.array(found) - expected).max() < 0.15


def test_the_seam_is_no_edge(astronaut: Image.Image, head: np.ndarray) -> None:
    photo = astronaut.resize((1536, 1536), Image.Resampling.BICUBIC).crop((355, 0, 995, 640))
    landmarks = _landmarks((320, 318), 516, 3)
    plain = crop_face(photo, landmarks, 512)
    pasted = paste_back(photo, landmarks, _brighter(plain, 40), head)
    alpha = _on_photo(head, landmarks, photo.size)
    seam = (alpha > 0.02) & (alpha < 0.98)
    assert _difference(pasted, photo)[alpha > 0.99].mean() > 25  # it is brighter, less what was white before

    def steepness(image: Image.Image) -> np.ndarray:
        grey = np.asarray(image).astype(float).mean(-1)
        return np.hypot(ndimage.sobel(grey, 0), ndimage.sobel(grey, 1))[seam] / 8  # levels per pixel

    assert steepness(pasted).mean() < steepness(photo).mean() + 1
    # on an even photo, where nothing hides it: the slope is spread over a twelfth of the crop
    grey = Image.new("RGB", photo.size, (128, 128, 128))
    even = paste_back(grey, landmarks, Image.new("RGB", (512, 512), (168, 168, 168)), head)
    assert 0.3 < steepness(even).mean() < 1 and steepness(even).max() < 2


@pytest.mark.parametrize("centre", [(0, 0), (512, 200), (250, 511), (-60, 250), (300, -70)])
def test_a_face_at_the_edge_of_the_picture(astronaut: Image.Image, centre: tuple[float, float]) -> None:
    landmarks = _landmarks(centre, 300, 15)
    mask = head_mask(_regions(_disc(0.5, 0.5, 0.45)))
    pasted = paste_back(astronaut, landmarks, _noise(256), mask)
    changed = np.abs(_difference(pasted, astronaut)).max(-1)
    alpha = _on_photo(mask, landmarks, astronaut.size)
    assert not changed[alpha < 1e-3].any() and (changed[alpha > 0.5] > 0).mean() > 0.98


def test_a_face_outside_the_picture(astronaut: Image.Image, head: np.ndarray) -> None:
    with pytest.raises(PhotoError, match="outside"):
        paste_back(astronaut, _landmarks((2000, 200), 172), _noise(64), head)


@pytest.mark.heavy
def test_a_small_crop_on_a_big_face_stays_smooth(head: np.ndarray) -> None:
    ramp = np.tile(np.linspace(40, 210, 256), (256, 1))
    photo = Image.new("RGB", (1600, 1700), (125, 125, 125))
    landmarks = _landmarks((800, 850), 1500)
    pasted = paste_back(photo, landmarks, Image.fromarray(np.uint8(np.rint(ramp))).convert("RGB"), head)
    values = np.asarray(pasted)[..., 0].astype(float)
    assert np.abs(np.diff(values, axis=1)).max() <= 2  # the ramp, no steps of six pixels
    whole = _on_photo(head, landmarks, photo.size) > 0.999
    u, _ = _in_crop(landmarks, photo.size)
    assert np.abs(values - (40 + 170 * (u * 256 - 0.5) / 255))[whole].max() < 1.5


def test_a_large_crop_on_a_small_face_does_not_alias(head: np.ndarray) -> None:
    stripes = Image.fromarray(np.tile(np.array([0, 255], np.uint8), (1024, 512))).convert("RGB")
    photo = Image.new("RGB", (400, 400), (128, 128, 128))
    pasted = paste_back(photo, _landmarks((200, 200), 187, 12), stripes, head)
    assert np.abs(_difference(pasted, photo)).max() <= 2


@pytest.mark.parametrize("side", [300, pytest.param(2500, marks=pytest.mark.heavy)])
def test_memory_does_not_grow_with_the_photo(head: np.ndarray, side: float) -> None:
    photo, edited = Image.new("RGB", (5000, 4000)), _noise(256)
    tracemalloc.start()
    try:
        paste_back(photo, _landmarks((2500, 2000), side), edited, head)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20e6  # bytes that numpy holds; one float plane of the photo has 80e6


def test_colour_match_takes_off_a_constant_error(astronaut: Image.Image, head: np.ndarray) -> None:
    photo = Image.fromarray((np.asarray(astronaut) * 0.6 + 40).astype(np.uint8))  # away from black and white
    landmarks = _landmarks(**ASTRONAUT)
    aligned = crop_face(photo, landmarks, 256)
    inverted = _brighter(aligned, 20)
    seen = _on_photo(head, landmarks, photo.size) > 0.02

    def error(**crops: Image.Image) -> float:
        return float(np.abs(_difference(paste_back(photo, landmarks, inverted, head, **crops), photo))[seen].mean())

    assert error() > 10
    assert error(inverted=inverted, aligned=aligned) < 1
    assert error(inverted=inverted.resize((512, 512)), aligned=aligned.resize((128, 128))) < 2


def test_colour_match_leaves_the_style_alone(head: np.ndarray) -> None:
    """Where the inversion is right, the edit arrives as it is, however far it is from the photo."""
    photo = Image.new("RGB", (400, 400), (100, 90, 80))
    landmarks = _landmarks((200, 200), 300)
    aligned = crop_face(photo, landmarks, 256)
    green = Image.new("RGB", (256, 256), (20, 220, 90))
    with_match = paste_back(photo, landmarks, green, head, inverted=aligned, aligned=aligned)
    assert with_match == paste_back(photo, landmarks, green, head)
    assert with_match.getpixel((200, 200)) == (20, 220, 90)


def test_colour_match_corrects_places_in_the_seam_only(head: np.ndarray) -> None:
    """The background that the generator made up is corrected where it shows; a mole that it left out stays left out."""
    photo = Image.new("RGB", (400, 400), (100, 100, 100))
    landmarks = _landmarks((200, 200), 300)
    x = np.arange(256)
    glow = np.exp(-((x - 214) ** 2 + (x[:, None] - 128) ** 2) / (2 * 20**2))  # where the mask is about a half
    inverted = Image.fromarray(np.uint8(np.rint(100 + 80 * glow))).convert("RGB")
    aligned = np.full((256, 256, 3), 100, np.uint8)
    aligned[_disc(0.5, 0.5, 0.06, 256)] = 30
    crops = {"inverted": inverted, "aligned": Image.fromarray(aligned)}
    without = np.abs(_difference(paste_back(photo, landmarks, inverted, head), photo))
    matched = paste_back(photo, landmarks, inverted, head, **crops)
    left = np.abs(_difference(matched, photo))
    alpha = _on_photo(head, landmarks, photo.size)
    outer = (alpha > 0.02) & (alpha < 0.5)
    assert without[outer].max() > 25 and left[outer].max() < 8
    assert left[outer].sum() < 0.2 * without[outer].sum()
    assert matched.getpixel((200, 200)) == (100, 100, 100)


def test_two_faces_in_one_photo(astronaut: Image.Image, head: np.ndarray) -> None:
    first, second = _landmarks((150, 150), 200, 10), _landmarks((360, 340), 260, -25)
    red, blue = Image.new("RGB", (256, 256), (255, 0, 0)), Image.new("RGB", (256, 256), (0, 0, 255))
    both = paste_back(paste_back(astronaut, first, red, head), second, blue, head)
    assert both.getpixel((150, 150)) == (255, 0, 0) and both.getpixel((360, 340)) == (0, 0, 255)
    assert both == paste_back(paste_back(astronaut, second, blue, head), first, red, head)  # they do not overlap
    free = np.maximum(_on_photo(head, first, astronaut.size), _on_photo(head, second, astronaut.size)) < 1e-3
    assert not _difference(both, astronaut)[free].any()


def test_modes(astronaut: Image.Image, head: np.ndarray) -> None:
    landmarks, edited = _landmarks(**ASTRONAUT), _noise(128)
    expected = paste_back(astronaut, landmarks, edited, head)
    assert expected.mode == "RGB"
    see_through = astronaut.copy()
    see_through.putalpha(Image.linear_gradient("L").resize(astronaut.size))
    pasted = paste_back(see_through, landmarks, edited.convert("RGBA"), head)
    assert pasted.mode == "RGBA" and pasted.convert("RGB") == expected
    assert pasted.getchannel("A") == see_through.getchannel("A")
    assert paste_back(astronaut.convert("L"), landmarks, edited, head).mode == "RGB"


def test_wrong_arguments(astronaut: Image.Image, head: np.ndarray) -> None:
    landmarks, edited = _landmarks(**ASTRONAUT), _noise(64)
    for mask in (np.ones((4, 5)), np.ones((1, 8, 8)), np.ones(8), np.full((8, 8), np.nan), np.full((8, 8), 1.5), np.ones((1, 1))):
        with pytest.raises(ValueError, match="mask"):
            paste_back(astronaut, landmarks, edited, mask)
    with pytest.raises(ValueError, match="square"):
        paste_back(astronaut, landmarks, edited.crop((0, 0, 64, 60)), head)
    with pytest.raises(ValueError, match="both or neither"):
        paste_back(astronaut, landmarks, edited, head, inverted=edited)
    for points in (np.zeros((68, 2)), np.full((68, 2), np.nan)):
        with pytest.raises(PhotoError, match="do not form a face"):
            paste_back(astronaut, points, edited, head)
    for shape in ((6, 40, 40), (40, 40), (7, 40, 1)):
        with pytest.raises(ValueError, match="region"):
            head_mask(np.zeros(shape))
    with pytest.raises(ValueError, match="size"):
        head_mask(_regions(_disc(0.5, 0.5, 0.3)), size=0)
    with pytest.raises(PhotoError, match="No head"):
        head_mask(_regions(np.zeros((40, 40), bool)))
    for points in (np.zeros((5, 2)), np.full((68, 2), np.nan), np.zeros((68, 2)), crop_landmarks(FACE) + 1000):
        with pytest.raises(ValueError, match="landmarks"):
            oval_mask(points)


def _is_soft(mask: np.ndarray, size: int) -> None:
    assert mask.shape == (size, size) and mask.dtype == np.float32
    assert mask.min() == 0 and 0.99 < mask.max() <= 1
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert not border.any()
    # the steepest slope there may be: the window's, or the feather's
    assert max(np.abs(np.diff(mask, axis=axis)).max() for axis in (0, 1)) * size < 24


@pytest.mark.parametrize("size", [128, 512])
def test_head_mask_is_whole_soft_and_a_little_wider(size: int) -> None:
    mask = head_mask(_regions(_disc(0.5, 0.5, 0.3)), size=size)
    _is_soft(mask, size)
    assert mask[_disc(0.5, 0.5, 0.22, size)].min() > 0.97 and mask[~_disc(0.5, 0.5, 0.44, size)].max() < 0.02
    slope = np.interp([0.1, 0.5, 0.9], mask[size // 2, : size // 2], (np.arange(size // 2) + 0.5) / size)
    assert 0.06 < slope[2] - slope[0] < 0.09
    assert 0.155 < slope[1] < 0.19  # the disc begins at 0.2


def test_head_mask_counts_the_heads_regions_only() -> None:
    middle = _disc(0.5, 0.5, 0.3)
    expected = head_mask(_regions(middle))
    split = np.zeros((7, 40, 40), np.float32)
    rows = np.arange(40)[:, None]
    for number, name in enumerate(("hair", "face", "body", "eyes", "mouth")):
        split[REGIONS.index(name)] = middle & (rows // 5 % 5 == number)
    split[REGIONS.index("clothing")] = ~middle & (rows > 20)
    split[REGIONS.index("background")] = ~middle & (rows <= 20)
    assert np.abs(head_mask(split) - expected).max() < 0.1


def test_head_mask_fades_what_leaves_the_crop() -> None:
    everything = head_mask(_regions(np.ones((40, 40), bool)))
    _is_soft(everything, 512)
    assert everything[60:-60, 60:-60].min() > 0.99
    hair = _disc(0.5, 0.5, 0.3)
    hair[20:, 8:32] = True  # down to the lower border
    mask = head_mask(_regions(hair))
    _is_soft(mask, 512)
    assert mask[450, 256] > 0.9 and (np.diff(mask[450:, 256]) <= 0).all()


def test_head_mask_takes_the_head_in_the_middle_without_holes() -> None:
    middle, other = _disc(0.55, 0.5, 0.2), np.zeros((40, 40), bool)
    other[:, :10] = True
    assert other.sum() > 1.5 * middle.sum()  # it is not the larger one that counts
    alone = head_mask(_regions(middle))
    assert np.array_equal(head_mask(_regions(middle | other)), alone)
    assert np.array_equal(head_mask(_regions(middle & ~_disc(0.55, 0.5, 0.1))), alone)


def test_head_mask_joins_the_edited_head() -> None:
    small, tall = _disc(0.5, 0.5, 0.25), _disc(0.5, 0.4, 0.3, 64)
    both = head_mask(_regions(small), also=_regions(tall))
    assert (both >= np.maximum(head_mask(_regions(small)), head_mask(_regions(tall))) - 0.02).all()
    assert both[60, 256] > head_mask(_regions(small))[60, 256] + 0.2


def test_oval_mask_holds_the_face() -> None:
    points = crop_landmarks(FACE)
    for size in (128, 512):
        mask = oval_mask(points, size)
        _is_soft(mask, size)
        columns, rows = np.clip(np.rint((points.T + 0.5) / 256 * size - 0.5).astype(int), 0, size - 1)
        inside = mask[rows, columns]
        assert inside[17:].min() > 0.95 and inside[:17].min() > 0.3  # the jaw may lie in the slope
        assert 0.2 < mask.mean() < 0.6
    shifted = oval_mask(points + np.array([20, 0]))
    assert ndimage.center_of_mass(shifted)[1] > ndimage.center_of_mass(oval_mask(points))[1] + 25


@pytest.mark.parametrize("side", [64, 256])
def test_a_change_keeps_the_photos_own_detail(astronaut: Image.Image, head: np.ndarray, side: int) -> None:
    """Each pixel is multiplied and raised: inside the mask in full, outside not at all, and what is fine stays fine."""
    nothing, landmarks = np.zeros((side, side, 6), np.float32), _landmarks(**ASTRONAUT)
    assert np.array_equal(np.asarray(change_back(astronaut, landmarks, nothing, head)), np.asarray(astronaut))
    change = nothing.copy()
    change[..., 0], change[..., 4] = -0.5, 12
    pasted = np.asarray(change_back(astronaut, landmarks, change, head)).astype(float)
    photo = np.asarray(astronaut).astype(float)
    inside = _on_photo(head, landmarks, astronaut.size) > 0.999
    assert inside.sum() > 1000
    assert np.abs(pasted[inside][:, 0] - photo[inside][:, 0] / 2).max() <= 1
    assert np.abs(pasted[inside][:, 1] - np.minimum(photo[inside][:, 1] + 12, 255)).max() <= 1
    assert np.array_equal(pasted[..., 2], photo[..., 2])
