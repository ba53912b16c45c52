"""Whether photos can be rebuilt by a generator is measured on its mean picture."""

from __future__ import annotations

import pytest
import torch
from PIL import Image, ImageChops, ImageOps

from nada_core.editing.editor import PhotoEditor
from nada_core.editing.face_check import draws_aligned_faces
from nada_core.editing.notes import ONLY_FACES
from nada_core.errors import NoFaceError
from nada_core.images.image_io import to_pil, to_tensor
from tests.helpers.stylegan2_files import tiny


class Paints:
    """As much of a generator as is looked at: it always draws one picture."""

    family, num_ws, resolutions, device = "stylegan2", 4, (256,), torch.device("cpu")
    w_avg = torch.zeros(8)

    def __init__(self, picture: Image.Image) -> None:
        self.picture, self.calls = to_tensor(picture), 0

    def synthesis(self, ws, noise_mode="const", resolution=None):
        assert ws.shape == (1, 4, 8) and resolution == 256
        self.calls += 1
        return self.picture


@pytest.fixture(scope="module")
def face(generator) -> Image.Image:
    return to_pil(generator.synthesis(generator.w_avg.expand(1, generator.num_ws, -1), resolution=256))


def test_the_starters_mean_face_is_one_placed_as_ffhqs(engine, face):
    assert draws_aligned_faces(engine.generator, engine.editor.detector)
    assert draws_aligned_faces(Paints(face), engine.editor.detector)


def test_faces_placed_otherwise_and_other_things_are_told_apart(engine, face):
    detector = engine.editor.detector
    smaller = ImageOps.expand(face, 100, "grey").resize((256, 256))
    assert detector.detect(smaller) and not draws_aligned_faces(Paints(smaller), detector)
    closer = face.crop((50, 60, 206, 216)).resize((256, 256))
    assert detector.detect(closer) and not draws_aligned_faces(Paints(closer), detector)
    assert not draws_aligned_faces(Paints(Image.radial_gradient("L").convert("RGB")), detector)
    assert not draws_aligned_faces(tiny(), detector)


def test_only_the_starters_own_encoder_is_believed_and_the_answer_is_kept(engine, face):
    parts = engine.editor.perceptual, engine.encoder
    assert PhotoEditor(engine.generator, engine.editor.inverter, *parts).for_faces
    painted = Paints(face)
    editor = PhotoEditor(painted, None, *parts)
    assert editor.for_faces and editor.for_faces and painted.calls == 1
    nothing = Image.new("RGB", (200, 200), "grey")
    with pytest.raises(NoFaceError, match="Crop closer"):
        editor.align_found(nothing, (), 0)
    other = PhotoEditor(Paints(nothing), None, *parts)
    with pytest.raises(NoFaceError) as caught:
        other.align_found(nothing, (), 0)
    assert ONLY_FACES in str(caught.value) and "Crop closer" not in str(caught.value)


def test_a_passer_by_in_a_target_picture_is_no_target_of_what_draws_no_faces(engine, face):
    street = Image.new("RGB", (768, 512), "olive")
    street.paste(face.resize((200, 200)), (20, 150))
    parts = None, engine.editor.perceptual, engine.encoder
    whole = PhotoEditor(Paints(Image.radial_gradient("L").convert("RGB")), *parts).target(street)
    assert (
        whole.size == (256, 256)
        and ImageChops.difference(whole, ImageOps.fit(street, (256, 256), Image.Resampling.LANCZOS)).getbbox() is None
    )
    aligned = PhotoEditor(Paints(face), *parts).target(street)
    assert ImageChops.difference(aligned, whole).getbbox() is not None and aligned.getpixel((128, 128)) != whole.getpixel((128, 128))
