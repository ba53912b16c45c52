"""Read films with PyAV: what a file says about itself, refusals in words, frames and sound in the order in which they are stored."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

from PIL import Image

from nada_core.errors import FilmError, shown
from nada_core.films.frames import Frame, Turn, frame_of, turn_of
from nada_core.system.files import check_file, is_there

__all__ = ["Film", "FilmFacts", "FilmLimits"]

#: Kinds of files that are opened. Playlists are not: they name other files and places, which a stranger's file must not reach.
_KINDS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,flv,asf,ogg,gif,apng,mxf,nut,ivf,wmv,yuv4mpegpipe,h264,hevc,obu,"
    "mp3,aac,wav,flac,m4a,aiff,ac3,caf,rm,dv"
)
_PICTURES = frozenset((b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"))  # brands of still pictures in the films' own container
_MOST_DAMAGED = 200  # parts of a film that may be damaged before it is given up
_MOST_BEFORE = 5000  # packets before the first frame
_FASTEST = 500  # frames a second: phones film at 240, or a little more; 1000 is what a browser's WebM says that knows none
_BACK = 0.5  # seconds by which time goes back at least where another part begins
_BETWEEN = Fraction(1, 25)  # of a second: from the last moment of a part to the first of the next
_LEAD = 0.05  # seconds of sound before the first frame that are kept: decoders of sound need some


@dataclass(frozen=True)
class FilmLimits:
    """Limits of a film that is taken.

    Attributes:
        seconds: of its length.
        pixels: of a frame.
        advice: what to do with a film that is too long.
    """

    seconds: float = 600.0
    pixels: int = 3840 * 2160
    advice: str = "Cut it first."

    def __post_init__(self) -> None:
        """Check the numbers. Raises FilmError."""
        if not 0 < self.seconds <= 360_000:
            raise FilmError(f"The longest film is given as {self.seconds / 60:g} minutes; it must be above 0 and at most 6000.")


@dataclass(frozen=True)
class FilmFacts:
    """Say what a film is: upright size in square pixels, frames a second, seconds (None where it does not say), and its kind of sound."""

    size: tuple[int, int]
    rate: Fraction
    seconds: float | None
    time_base: Fraction
    sound: str | None

    @property
    def frames(self) -> int | None:
        """Return about how many frames there are."""
        return None if self.seconds is None else max(1, round(self.seconds * self.rate))


class Film:
    """Read one film from its beginning to its end; a context that closes the file.

    Args:
        path: of the file.
        limits: beyond which it is refused.

    Raises:
        FilmError: no such file, no film, damaged, too large or too long; the message is one sentence that says which.
    """

    def __init__(self, path: str | Path, limits: FilmLimits | None = None) -> None:
        self.path, self.limits, self.damaged = Path(path), limits or FilmLimits(), 0
        self._before: list[Any] = []  # what came before the first frame, and that frame
        self._name = shown(self.path.name, 60)
        self._container = self._opened()
        try:
            self._video = self._choose()
            self._begin()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Film:
        """Return the film itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    @property
    def sound(self) -> Any:
        """Return the stream of sound, or None."""
        sound = self._container.streams.best("audio")
        return None if sound is None or sound.codec_context is None else sound

    def notes(self) -> tuple[str, ...]:
        """Return sentences about what was left out: known once all events were taken."""
        said = []
        if self.damaged:
            said.append(f"Damaged parts of the film, {self.damaged} in all, could not be read and were left out.")
        if self.sound is None and self._container.streams.audio:
            said.append("The sound is of a kind that is unknown here and was left out.")
        elif (tracks := len(self._container.streams.audio)) > 1:
            said.append(f"The film has {tracks} sound tracks; the main one was kept, the others were left out.")
        if self._container.streams.subtitles:
            said.append("The film's subtitles were left out.")
        return tuple(said)

    def events(self) -> Iterator[Frame | Any]:
        """Yield frames, and packets of sound, once, in the order in which they are stored; times begin at 0.

        Raises:
            FilmError: it is a still picture, too long, or too damaged.
        """
        before, self._before = self._before, []
        yield from before
        frames = 1
        for event in self._packets:
            frames += isinstance(event, Frame)
            yield event
        if frames == 1:
            raise FilmError(self._still())

    # -- opening

    def _opened(self) -> Any:
        import av

        if is_there(self.path) and self.path.is_dir():
            raise FilmError(f"'{self._name}' is a folder. Give a film: an MP4, MOV, MKV, WebM or AVI file.")
        check_file(self.path, f"There is no film '{self._name}'. Check the file's name.", FilmError)
        if _is_picture(self.path):
            raise FilmError(self._still())
        most = str(2 * self.limits.pixels)  # somewhat above the limit, which has a sentence of its own
        try:
            return av.open(
                f"file:{self.path.resolve()}",  # a name with a colon in it is no address
                options={"format_whitelist": _KINDS, "protocol_whitelist": "file", "max_pixels": most},
                metadata_errors="replace",
            )
        except (av.error.PermissionError, PermissionError):
            raise FilmError(f"'{self._name}' may not be read by this program. Change the file's permissions.") from None
        except (av.error.FFmpegError, OSError, ValueError):
            raise FilmError(self._broken()) from None

    def _choose(self) -> Any:
        """Return the stream of pictures; refuse what is no film, or too large, before anything is decoded."""
        import av

        videos = [s for s in self._container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
        if not videos:
            if self._container.streams.audio:
                raise FilmError(f"'{self._name}' has sound but no picture. Give a film with a person in it.")
            raise FilmError(self._broken())
        video = videos[0]
        if video.frames == 1 and len(videos) > 1:  # the still picture that an animated AVIF begins with
            video = max(videos, key=lambda stream: stream.frames)
        if video.codec_context is None:
            raise FilmError(f"'{self._name}' is in a format that cannot be decoded here. Convert it to MP4 with H.264 first.")
        width, height = video.codec_context.width, video.codec_context.height
        if width * height > self.limits.pixels:
            raise FilmError(f"'{self._name}' has {width} x {height} pixels; at most 3840 x 2160 are possible. Make it smaller first.")
        self._check_length(self._said_seconds(video))
        video.thread_type = "AUTO"
        video.codec_context.options = {"max_pixels": str(2 * self.limits.pixels)}
        return video

    def _begin(self) -> None:
        """Decode up to the first frame, which says how the film is turned."""
        video, start = self._video, max(self._container.start_time or 0, 0)
        base = Fraction(video.time_base or Fraction(1, 90_000))
        rate = video.average_rate or video.guessed_rate or Fraction(25)
        rate = Fraction(rate) if 1 <= rate <= _FASTEST else Fraction(25)
        self._shifts, self._parts, self._times = [-Fraction(start, 1_000_000)], dict[int, int](), dict[int, Fraction]()
        self._last, self._step = -1, max(1, round(1 / rate / base))
        self._seconds = self._said_seconds(video)
        self._turn, self._coded = Turn(), (0, 0)
        self._base = base
        self._packets = self._decoded()
        for event in self._packets:
            self._before.append(event)
            if isinstance(event, Frame) or len(self._before) > _MOST_BEFORE:
                break
        if not self._before or not isinstance(first := self._before[-1], Frame):
            raise FilmError(self._broken())
        sound = self.sound
        self.facts = FilmFacts(first.size, rate, self._seconds, base, None if sound is None else sound.codec_context.name)

    # -- decoding

    def _decoded(self) -> Iterator[Frame | Any]:
        import av

        streams = [self._video] if self.sound is None else [self._video, self.sound]
        try:
            for packet in self._container.demux(streams):
                if packet.stream.index != self._video.index:
                    if packet.dts is not None and not self._cut_away(self._shifted(packet)):
                        yield packet
                    continue
                try:
                    frames = packet.decode()
                except av.error.DecoderNotFoundError:
                    raise FilmError(f"'{self._name}' is in a format that cannot be decoded here. Convert it to MP4 with H.264.") from None
                except (av.error.FFmpegError, ValueError):
                    self.damaged += 1
                    if self.damaged > _MOST_DAMAGED:
                        raise FilmError(self._broken()) from None
                    continue
                for frame in frames:
                    yield self._frame(frame)
        except av.error.FFmpegError:  # the file ends in the middle of something: what came before it is whole
            self.damaged += 1

    def _frame(self, decoded: Any) -> Frame:
        if self._last < 0:
            self._turn = turn_of(decoded)
            self._coded = _square_pixels(decoded.width, decoded.height, self._video.sample_aspect_ratio)
        if decoded.pts is None:
            ticks = self._last + self._step
        else:
            ticks = decoded.pts + round(self._shift(self._video.index, decoded.pts * self._base) / self._base)
        ticks = max(ticks, self._last + 1, 0)
        self._last = ticks
        if ticks * self._base > self.limits.seconds + 1:  # whatever the file says about itself
            self._check_length(float(ticks * self._base))
        return frame_of(decoded, ticks, self._coded, self._turn)

    def _shifted(self, packet: Any) -> Any:
        shift = round(self._shift(packet.stream.index, packet.dts * packet.time_base) / packet.time_base)
        packet.dts += shift
        if packet.pts is not None:
            packet.pts += shift
        return packet

    def _shift(self, stream: int, time: Fraction) -> Fraction:
        """Return what to add to a stream's time: where films were put one behind the other, as cameras' parts are, it begins anew.

        Whichever stream gets there first says where the next part lies; the others follow, so picture and sound stay together.
        """
        before, part = self._times.get(stream, time), self._parts.get(stream, 0)
        self._times[stream] = time
        if time < before - _BACK:
            part = self._parts[stream] = part + 1
            if part == len(self._shifts):
                self._shifts.append(self._shifts[-1] + before + _BETWEEN - time)
        return self._shifts[part]

    def _cut_away(self, packet: Any) -> bool:
        """Tell whether a packet of sound lies before the film: phones cut a film's beginning off by a list of what is played."""
        return (packet.dts + (packet.duration or 0)) * packet.time_base < -_LEAD

    # -- words

    def _said_seconds(self, video: Any) -> float | None:
        if self._container.duration:
            return self._container.duration / 1_000_000
        return None if not video.duration else float(video.duration * video.time_base)

    def _check_length(self, seconds: float | None) -> None:
        if seconds is not None and seconds > self.limits.seconds:
            raise FilmError(
                f"'{self._name}' lasts {_time(seconds)}; at most {_time(self.limits.seconds)} are possible. {self.limits.advice}"
            )

    def _still(self) -> str:
        return f"'{self._name}' is a still picture, not a film. Edit it as a photo."

    def _broken(self) -> str:
        return f"'{self._name}' cannot be read as a film: it is damaged or of an unknown kind. Give an MP4, MOV, MKV, WebM or AVI file."


def _is_picture(path: Path) -> bool:
    """Tell whether a file is a still picture; looped ones (GIF, WebP, PNG) that move are not."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(12)
        if head[4:8] == b"ftyp" and head[8:] in _PICTURES:
            return True
        with warnings.catch_warnings(), Image.open(path) as picture:
            warnings.simplefilter("ignore")
            return picture.format not in ("MPEG", None) and getattr(picture, "n_frames", 1) == 1
    except Exception:  # noqa: BLE001 (whatever Pillow says: it is no picture that it reads)
        return False


def _square_pixels(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Return the size at which pixels are square."""
    if not aspect or aspect <= 0 or aspect == 1 or not Fraction(1, 4) < aspect < 4:
        return width, height
    return round(width * aspect / 2) * 2, height


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.0f} hours"
