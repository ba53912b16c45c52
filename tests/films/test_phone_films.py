"""Films as phones and other programs write them: mirrored, trimmed, HDR, in slow motion, with holes and more than one track."""

from __future__ import annotations

import struct
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from PIL import Image

from nada_core.films.frames import Frame
from nada_core.films.reading import Film
from nada_core.films.restyle import restyle_film
from nada_core.images.colour import coded_space, tone_map, tone_map_back
from tests.helpers.film_discs import RED, WALL, DiscDetector, blue, discs, head
from tests.helpers.films import portraits, read_film, write_film

STILL = [[(80.0, 60.0)]]
MOVING = [[(60.0 + 4 * index, 60.0)] for index in range(3)]


def restyled(source, out):
    return list(restyle_film(source, out, blue(), DiscDetector(), head))[-1].result


def frames_in(path) -> list[Frame]:
    with Film(path) as film:
        return [event for event in film.events() if isinstance(event, Frame)]


def seconds_of(path) -> float:
    with av.open(str(path)) as film:
        return film.duration / 1e6


# what players show, by the fields a, b, c and d of ISO/IEC 14496-12's matrix: x' = a x + c y, y' = b x + d y
@pytest.mark.parametrize("matrix", [(-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (0, -1, -1, 0), (0, 1, -1, 0), (-1, 0, 0, -1)])
def test_a_selfie_cameras_mirrored_film_is_upright(tmp_path, matrix):
    a, b, c, d = matrix
    source = write_film(tmp_path / "in.mp4", discs([[(40.0, 30.0)]] * 2), sound=None)
    data = bytearray(source.read_bytes())
    fields = [value << 16 & 0xFFFFFFFF for value in (a, b, 0, c, d, 0)]
    struct.pack_into(">6I", data, data.index(b"tkhd") + 44, *fields)
    source.write_bytes(data)
    frame = frames_in(source)[1]
    width, height = frame.size
    assert frame.size == ((160, 120) if a else (120, 160))
    rows, columns = np.nonzero(np.asarray(frame.picture())[..., 0] > 150)
    x, y = 40 - 79.5, 30 - 59.5
    wanted = (a * x + c * y + (width - 1) / 2, b * x + d * y + (height - 1) / 2)
    assert (columns.mean(), rows.mean()) == pytest.approx(wanted, abs=0.5)


def test_colours_that_are_not_said_stay_when_a_film_is_turned(tmp_path):
    """Players calculate with BT.601 below 720 lines: 480 before the turn, 854 after it."""
    source = write_film(tmp_path / "in.mp4", discs(STILL * 2, (854, 480)), sound=None, turned=90)
    restyled(source, tmp_path / "out.mp4")
    for path in (source, tmp_path / "out.mp4"):
        frame = frames_in(path)[1]
        assert frame.size == (480, 854) and np.abs(np.asarray(frame.picture())[:20].mean((0, 1)) - WALL).max() < 3
    with av.open(str(tmp_path / "out.mp4")) as film:
        decoded = next(film.decode(video=0))
        assert (decoded.colorspace, decoded.color_primaries, decoded.color_trc) == (6, 6, 6)


@pytest.mark.parametrize("places", [MOVING, [*STILL * 2, [(81.0, 60.0)]]])  # the last frame is coded last, or before the one before it
def test_the_last_picture_stays_as_long_as_it_did(tmp_path, places):
    first, *others = (Image.fromarray(frame) for frame in discs(places))
    first.save(tmp_path / "in.gif", save_all=True, append_images=others, duration=[100, 100, 900])
    restyled(tmp_path / "in.gif", tmp_path / "out.mp4")
    assert seconds_of(tmp_path / "out.mp4") == pytest.approx(1.1, abs=0.02)


def test_transparent_places_of_a_moving_png_are_white(tmp_path):
    pictures = []
    for frame in discs(MOVING):
        pixels = np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)])
        pixels[:40] = 0
        pictures.append(Image.fromarray(pixels))
    pictures[0].save(tmp_path / "in.png", save_all=True, append_images=pictures[1:], duration=100)
    for frame in frames_in(tmp_path / "in.png"):
        pixels = np.asarray(frame.picture()).astype(int)
        assert pixels[:30].min() > 250 and np.abs(pixels[60:, :30] - WALL).max() <= 4


def test_an_animated_avif_is_a_film(tmp_path):
    first, *others = (Image.fromarray(frame) for frame in discs(MOVING))
    first.save(tmp_path / "in.avif", save_all=True, append_images=others, duration=100)
    assert len(frames_in(tmp_path / "in.avif")) == 3


def test_slow_motion_is_counted_at_its_own_rate(tmp_path):
    source = write_film(tmp_path / "in.mp4", discs(STILL * 24), Fraction(2401, 10), sound=None)
    with Film(source) as film:
        assert film.facts.rate == Fraction(2401, 10) and film.facts.frames in (24, 25)


def test_opus_is_coded_anew_where_the_file_cannot_hold_it(tmp_path):
    source = write_film(tmp_path / "in.webm", discs(STILL * 4), codec="libvpx-vp9", sound="libopus")
    for name, codec in (("out.mov", "aac"), ("out.mp4", "opus"), ("out.mkv", "opus")):
        restyled(source, tmp_path / name)
        with av.open(str(tmp_path / name)) as film:
            assert film.streams.audio[0].codec_context.codec.canonical_name == codec


def trimmed(path, seconds: float):
    """Cut a film's beginning off as phones do: nothing is removed, a list says what is played."""
    data = bytearray(path.read_bytes())
    starts = [place for place in range(len(data)) if data.startswith(b"trak", place)]
    for start, end in pairwise([*starts, len(data)]):
        (scale,) = struct.unpack_from(">I", data, data.index(b"mdhd", start, end) + 16)
        edit = data.index(b"elst", start, end)
        assert struct.unpack_from(">I", data, edit + 8) == (1,)
        length, begin = struct.unpack_from(">Ii", data, edit + 12)
        struct.pack_into(">Ii", data, edit + 12, length - round(seconds * 1000), begin + round(seconds * scale))
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_what_was_cut_off_is_not_heard_again(tmp_path, name):
    source = trimmed(write_film(tmp_path / "in.mp4", discs(STILL * 30)), 1.0)
    assert len(frames_in(source)) == 5
    restyled(source, tmp_path / name)
    with av.open(str(tmp_path / name)) as film:
        heard = sum(frame.samples / frame.sample_rate for frame in film.decode(audio=0))
        assert heard == pytest.approx(0.2, abs=0.08)
    with av.open(str(tmp_path / name)) as film:
        assert next(film.decode(video=0)).time < 0.08


@pytest.mark.parametrize("kind", ["in.ts", "in.mpg"])
def test_films_put_one_behind_the_other_play_one_after_the_other(tmp_path, kind):
    """As the parts of a camera's film are joined: nothing but one file's bytes after the other's, whose times begin anew."""
    codec = "mpeg2video" if kind == "in.mpg" else "libx264"
    part = write_film(tmp_path / kind, discs(STILL * 25), codec=codec, sound="mp2" if kind == "in.mpg" else "aac").read_bytes()
    (tmp_path / kind).write_bytes(part + part)
    restyled(tmp_path / kind, tmp_path / "out.mp4")
    times = np.array(read_film(tmp_path / "out.mp4")[1])
    assert len(times) == 50 and np.diff(times).min() > 0.02 and np.diff(times).max() < 0.14
    with av.open(str(tmp_path / "out.mp4")) as film:
        sound = [(frame.time, frame.samples / frame.sample_rate) for frame in film.decode(audio=0)]
    assert sum(seconds for _, seconds in sound) == pytest.approx(2, abs=0.15)
    assert sound[-1][0] == pytest.approx(times[-1], abs=0.15)


def test_other_tracks_are_left_out_and_said(tmp_path):
    source = write_film(tmp_path / "in.mp4", discs(STILL * 4))
    with av.open(str(source)) as film, av.open(str(tmp_path / "in.mkv"), "w") as more:
        tracks = [more.add_stream_from_template(film.streams[number]) for number in (0, 1, 1)]
        for number, track in zip((0, 1, 1), tracks):
            film.seek(0)
            for packet in film.demux(film.streams[number]):
                if packet.dts is not None:
                    packet.stream = track
                    more.mux(packet)
    notes = restyled(tmp_path / "in.mkv", tmp_path / "out.mp4").notes
    assert notes == ("The film has 2 sound tracks; the main one was kept, the others were left out.",)


@pytest.mark.parametrize("curve", [18, 16])  # HLG, in which iPhones film unless told otherwise, and PQ
def test_paint_in_an_hdr_film_looks_as_in_any_other(tmp_path, curve):
    space = coded_space(9, curve)
    shown = list(discs(STILL * 4))
    with av.open(str(tmp_path / "in.mp4"), "w") as film:
        video = film.add_stream("libx264", rate=25, options={"crf": "5"})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p10le"
        context = video.codec_context
        context.colorspace = context.color_primaries = 9
        context.color_trc, context.color_range = curve, 1
        for pixels in shown:
            light = np.asarray(Image.fromarray(pixels).filter(tone_map_back(space)))
            frame = av.VideoFrame.from_ndarray(light, format="rgb24")
            film.mux(video.encode(frame.reformat(format="yuv420p10le", dst_colorspace=9, dst_color_range=1)))
        film.mux(video.encode(None))
    plain = write_film(tmp_path / "plain.mp4", shown, sound=None)
    for source in (tmp_path / "in.mp4", plain):
        restyled(source, source.with_suffix(".mov"))
    seen = np.asarray(frames_in(tmp_path / "in.mp4")[2].picture()).astype(int)
    assert np.abs(seen[60, 80] - RED).max() <= 8 and np.abs(seen[:20].mean((0, 1)) - WALL).max() <= 6
    hdr, sdr = (frames_in(tmp_path / name)[2] for name in ("in.mov", "plain.mov"))
    assert (hdr.colours.primaries, hdr.colours.curve) == (9, curve)
    there, wanted = (np.asarray(frame.picture()).astype(int)[54:67, 74:87].mean((0, 1)) for frame in (hdr, sdr))
    assert np.abs(there - wanted).max() <= 10 and np.abs(there - RED).max() > 60


@pytest.mark.parametrize("curve", [18, 16])
def test_a_face_in_hdr_and_back(curve):
    face = portraits()[1].resize((128, 128))
    space = coded_space(9, curve)
    again = face.filter(tone_map_back(space)).filter(tone_map(space))
    apart = np.abs(np.asarray(again).astype(int) - np.asarray(face))  # PQ spends most of 8 bits on light that a screen has not
    assert apart.mean() < 1 and apart.max() <= 10
