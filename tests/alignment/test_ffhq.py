"""Faces found, cut out as FFHQ does, and recognised: on a real photo (scikit-image's astronaut) and on golden data."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageEnhance

from nada_core.alignment.ffhq import (
    SAME_PERSON,
    Face,
    FaceDetector,
    FaceRecogniser,
    align_face,
    choose_face,
    crop_face,
    crop_landmarks,
    distance,
    ffhq_quad,
)
from nada_core.errors import NoFaceError, OptionsError, PhotoError
from nada_core.images.image_io import decode_photo
from tests.helpers.folders import DATA

pytestmark = pytest.mark.heavy

GOLDEN = np.load(DATA / "ffhq_align.npz")
CASES = ["center", "rotated", "border", "huge", "tiny"]
MIRRORED = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
MIRRORED += [*range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65]  # dlib's numbers of the other side of the face
EYES = (203.5, 100.5), (247.0, 103.5)  # the astronaut's pupils, read off the picture by eye


def _golden_photo(case: str) -> Image.Image:
    width, height = (int(side) for side in GOLDEN[f"{case}_size"])
    xx, yy = np.meshgrid(np.arange(width), np.arange(height))
    channels = 127 + 120 * np.sin(xx / 17) * np.cos(yy / 23), 255 * xx / width, 255 * yy / height
    return Image.fromarray(np.round(np.stack(channels, -1)).astype(np.uint8))


@pytest.fixture(scope="module")
def astronaut() -> Image.Image:
    return Image.fromarray(skimage.data.astronaut())


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


@pytest.fixture(scope="module")
def recogniser() -> FaceRecogniser:
    return FaceRecogniser()


@pytest.fixture(scope="module")
def face(detector: FaceDetector, astronaut: Image.Image) -> Face:
    faces = detector.detect(astronaut)
    assert len(faces) == 1  # not the mission patch on the suit
    return faces[0]


def _pupils(landmarks: np.ndarray) -> np.ndarray:
    return np.stack([landmarks[36:42].mean(0), landmarks[42:48].mean(0)])


@pytest.mark.parametrize("case", CASES)
def test_alignment_equals_the_reference(case: str) -> None:
    aligned = align_face(_golden_photo(case), GOLDEN[f"{case}_landmarks"], output_size=256, transform_size=256)
    assert aligned.size == (256, 256) and aligned.mode == "RGB"
    error = np.abs(np.asarray(aligned).astype(int) - GOLDEN[f"{case}_aligned256"].astype(int))
    assert error.max() <= 1


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", [128, 256])
def test_crop_covers_the_same_square(case: str, size: int) -> None:
    photo, landmarks = _golden_photo(case), GOLDEN[f"{case}_landmarks"]
    crop = np.asarray(crop_face(photo, landmarks, size)).astype(float)
    blocks = GOLDEN[f"{case}_aligned256"].astype(float).reshape(size, 256 // size, size, 256 // size, 3)
    difference = np.abs(crop - blocks.mean((1, 3)))
    # in the huge case red's waves alias in the reference; the ramps of green and blue hold everywhere
    assert difference[..., 1 if case == "huge" else 0 :].mean() < 0.7


def test_crop_is_not_shifted() -> None:
    """A symmetric photo with a symmetric face gives a symmetric crop, at every size of face."""
    landmarks = GOLDEN["center_landmarks"] - GOLDEN["center_landmarks"].mean(0)
    landmarks = (landmarks + landmarks[MIRRORED] * [-1, 1]) / 2  # exactly symmetric
    x = np.abs(np.arange(1001) - 500)
    photo = Image.fromarray(np.tile((127 + 120 * np.cos(x / 40)).astype(np.uint8), (1001, 1))).convert("RGB")
    for scale in (0.3, 1.0, 2.1):
        row = np.asarray(crop_face(photo, landmarks * scale + 500, 128))[64, :, 0].astype(float)
        assert np.abs(row - row[::-1]).max() <= 1.5


def test_crop_does_not_alias_on_a_big_face() -> None:
    """Stripes of 2 px on a face four times as large as the crop must become even grey; the reference keeps them."""
    landmarks = GOLDEN["center_landmarks"] * 3.4  # side 979: the reference does not shrink before it samples 256
    stripes = np.tile(np.array([0, 255], np.uint8), (2000, 1100))
    photo = Image.fromarray(stripes).convert("RGB")
    middle = slice(64, 192)
    assert np.asarray(crop_face(photo, landmarks))[middle, middle].std() < 3
    assert np.asarray(align_face(photo, landmarks))[middle, middle].std() > 30


def test_quad_is_a_square_that_turns_with_the_face() -> None:
    quad = ffhq_quad(GOLDEN["rotated_landmarks"])
    sides = np.roll(quad, -1, axis=0) - quad
    lengths = np.hypot(*sides.T)
    assert np.allclose(lengths, lengths[0]) and abs(sides[0] @ sides[1]) < 1e-6
    turned = GOLDEN["rotated_landmarks"] @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    assert np.allclose(ffhq_quad(turned), quad @ np.array([[0.0, 1.0], [-1.0, 0.0]]))


def test_crop_landmarks_lie_where_the_crop_shows_them(detector: FaceDetector, astronaut: Image.Image, face: Face) -> None:
    expected = crop_landmarks(face.landmarks, 512)
    (again,) = detector.detect(crop_face(astronaut, face.landmarks, 512))
    assert np.abs(_pupils(again.landmarks) - _pupils(expected)).max() < 8  # of 512
    corners = crop_landmarks(np.vstack([face.landmarks]), 256)
    assert np.allclose(ffhq_quad(corners), [[-0.5, -0.5], [-0.5, 255.5], [255.5, 255.5], [255.5, -0.5]])


@pytest.mark.parametrize("landmarks", [np.zeros((68, 2)), np.full((68, 2), np.nan)])
def test_landmarks_that_form_no_face(landmarks: np.ndarray) -> None:
    with pytest.raises(PhotoError, match="do not form a face"):
        align_face(Image.new("RGB", (100, 100)), landmarks)


def test_wrong_arguments() -> None:
    landmarks = GOLDEN["center_landmarks"]
    with pytest.raises(ValueError, match=r"\[68, 2\]"):
        ffhq_quad(landmarks[:5])
    with pytest.raises(ValueError, match="size"):
        crop_face(Image.new("RGB", (640, 480)), landmarks, 0)
    with pytest.raises(PhotoError, match="outside"):
        crop_face(Image.new("RGB", (640, 480)), landmarks + 5000)


def test_eyes_are_found(face: Face) -> None:
    assert np.abs(_pupils(face.landmarks) - EYES).max() < 4
    assert face.box[0] < EYES[0][0] < EYES[1][0] < face.box[2]
    assert 80 < face.size < 120 and face.confidence > 0.5


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_exif_rotation_is_undone_before_the_search(astronaut: Image.Image, orientation: int) -> None:
    stored = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = astronaut.transpose(stored)
    turned.info["exif"] = exif.tobytes()
    assert np.array_equal(np.asarray(decode_photo(turned)), np.asarray(astronaut))  # in which her face is found


@pytest.mark.parametrize("angle", [-15, 45, 90, 180])
def test_turned_photo_gives_the_same_upright_crop(detector: FaceDetector, astronaut: Image.Image, face: Face, angle: int) -> None:
    turned = astronaut.rotate(angle, Image.Resampling.BICUBIC)
    (found,) = detector.detect(turned)
    difference = np.asarray(crop_face(turned, found.landmarks)).astype(float) - np.asarray(crop_face(astronaut, face.landmarks))
    assert np.abs(difference[40:216, 40:216]).mean() < 12  # another person or a turned head: 40 and more


@pytest.mark.parametrize(("side", "width"), [(228, 45), (160, 32)])
def test_tiny_faces(detector: FaceDetector, astronaut: Image.Image, side: int, width: int) -> None:
    (face,) = detector.detect(astronaut.resize((side, side), Image.Resampling.LANCZOS))
    assert abs(face.size - width) < 8
    assert np.abs(_pupils(face.landmarks) * 512 / side - EYES).max() < 5


def test_several_faces_come_largest_first(detector: FaceDetector, astronaut: Image.Image) -> None:
    photo = Image.new("RGB", (1500, 900), (90, 120, 80))
    for side, left in ((350, 0), (800, 360), (300, 1180)):
        photo.paste(astronaut.resize((side, side), Image.Resampling.LANCZOS), (left, 50))
    faces = detector.detect(photo)
    assert [round((found.box[0] + found.box[2]) / 2) // 100 for found in faces] == [7, 1, 13]
    assert faces[0].size > faces[1].size > faces[2].size
    assert choose_face(faces) is faces[0] and choose_face(faces, 2) is faces[2]
    for index in (3, -1):
        with pytest.raises(OptionsError, match="3 faces"):
            choose_face(faces, index)


@pytest.mark.parametrize("angle", [90, -90, 180, 45])
def test_a_turned_head_is_found_beside_a_clear_face(detector: FaceDetector, astronaut: Image.Image, face: Face, angle: int) -> None:
    head = astronaut.crop((125, 0, 325, 220)).rotate(angle, expand=True, fillcolor=(120, 130, 120))
    group = Image.new("RGB", (900, 512), (120, 130, 120))
    group.paste(head, (600, 120))
    (alone,) = detector.detect(group)
    group.paste(astronaut, (0, 0))
    seen = [np.abs(_pupils(one.landmarks) - EYES).max() for one in detector.detect(group)]
    assert min(seen) < 4  # a clear face is enough where nobody asks for everyone
    found = sorted(detector.detect(group, everyone=True), key=lambda one: one.box)
    assert len(found) == 2 and np.abs(_pupils(found[0].landmarks) - EYES).max() < 4
    assert np.abs(found[1].landmarks - alone.landmarks).max() < 3


def test_no_face(detector: FaceDetector) -> None:
    coins = Image.fromarray(skimage.data.coins()).convert("RGB")
    for photo in (coins, Image.new("RGB", (64, 64))):
        assert detector.detect(photo) == []
    unused = FaceDetector()
    assert unused.detect(Image.new("RGB", (3000, 3000), (250, 252, 249))) == [] and unused._models is None  # nothing there to search
    with pytest.raises(NoFaceError, match="Crop closer"):
        choose_face([])


def test_recognition(recogniser: FaceRecogniser, detector: FaceDetector, astronaut: Image.Image, face: Face) -> None:
    """The only second person among scikit-image's pictures is its photographer, in profile."""
    person = recogniser.embed(astronaut, face.landmarks)
    assert person.shape == (128,) and distance(person, person) == 0
    mirrored = astronaut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    dimmed = ImageEnhance.Brightness(astronaut.resize((300, 300), Image.Resampling.LANCZOS).rotate(15)).enhance(0.6)
    for variation in (mirrored, dimmed):
        (found,) = detector.detect(variation)
        assert distance(person, recogniser.embed(variation, found.landmarks)) < 0.4
    photographer = Image.fromarray(skimage.data.camera()).convert("RGB")
    (other,) = detector.detect(photographer)
    assert distance(person, recogniser.embed(photographer, other.landmarks)) > SAME_PERSON


def test_recognition_on_the_known_alignment(recogniser: FaceRecogniser, astronaut: Image.Image, face: Face) -> None:
    """The crop is recognised through the moved landmarks, painted or not, without detecting anything in it."""
    person = recogniser.embed(astronaut, face.landmarks)
    crop, landmarks = crop_face(astronaut, face.landmarks), crop_landmarks(face.landmarks)
    assert distance(person, recogniser.embed(crop, landmarks)) < 0.15
    painted = np.asarray(crop).copy()
    painted[..., 0] //= 2  # green skin
    assert distance(person, recogniser.embed(Image.fromarray(painted), landmarks)) < SAME_PERSON
    with pytest.raises(ValueError, match=r"\[68, 2\]"):
        recogniser.embed(crop, landmarks[:5])


def test_another_detector_needs_no_models_of_its_own(detector: FaceDetector, face: Face) -> None:
    """Whoever draws on a face makes one: reading the files again would take longer than the search."""
    other = FaceDetector()
    assert other._load() == detector._load() and other._lock is detector._lock


def test_threads_may_share_a_detector(detector: FaceDetector, recogniser: FaceRecogniser, astronaut: Image.Image, face: Face) -> None:
    expected = recogniser.embed(astronaut, face.landmarks)
    results: list[tuple[float, float]] = []

    def work() -> None:
        (found,) = detector.detect(astronaut)
        embedded = recogniser.embed(astronaut, found.landmarks)
        results.append((float(np.abs(found.landmarks - face.landmarks).max()), distance(embedded, expected)))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(0.0, 0.0)] * 3
