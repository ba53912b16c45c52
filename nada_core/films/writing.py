"""Write films with PyAV: H.264 and the sound as it was. A file is complete or absent; stopped early, it ends there and plays as well."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections import deque
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from nada_core.errors import FilmError, NadaError, shown
from nada_core.films.frames import Frame, coded
from nada_core.films.reading import FilmFacts
from nada_core.system.files import check_writable_name, is_there

__all__ = ["KINDS", "FilmWriter", "check_target"]

#: Endings of names, and the kind of file that each stands for.
KINDS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
_COPIED = frozenset(("aac", "mp3", "ac3", "eac3", "alac", "opus"))  # kinds of sound that these files hold and players know
_NOT_IN_MOV = frozenset(("opus",))
_QUALITY = {"crf": "18", "preset": "veryfast"}  # visually the same; the faces take more time than the coding
_WAITING = 3000  # packets of sound that wait for their frames at most: a minute


def check_target(path: Path, source: Path, overwrite: bool = False) -> Path:
    """Return where a film may be written to.

    Raises:
        FilmError: an unknown ending, no such folder, a file that is there, or the source itself.
    """
    name = shown(path.name, 60)
    check_writable_name(path, FilmError)
    if path.suffix.lower() not in KINDS:
        raise FilmError(f"'{name}' cannot be written: the name must end in {', '.join(KINDS)}. Choose another --out.")
    if not path.parent.is_dir():
        raise FilmError(f"The folder '{shown(path.parent.name, 60)}' for '{name}' does not exist. Create it, or choose another --out.")
    if path.is_dir():
        raise FilmError(f"'{name}' is a folder. Choose another --out.")
    if path.exists():
        if is_there(source) and path.samefile(source):
            raise FilmError(f"'{name}' is the film itself. Choose another --out.")
        if not overwrite:
            raise FilmError(f"'{name}' exists already. Choose another --out, or let it be replaced with --overwrite.")
    if not os.access(path.parent, os.W_OK):
        raise FilmError(f"The folder for '{name}' is read-only. Choose another --out.")
    return path


class FilmWriter:
    """Write one film; :meth:`finish` gives it its name, :meth:`abandon` leaves nothing.

    Args:
        path: that :func:`check_target` accepted.
        facts: of the film that it is made from.
        sound: that film's stream of sound, or None.
        labels: text entries.

    Raises:
        NadaError: the file cannot be created.
    """

    def __init__(self, path: Path, facts: FilmFacts, sound: Any = None, labels: Mapping[str, str] | None = None) -> None:
        import av
        from av.codec.context import Flags

        self.path, self.frames, self._base = path, 0, facts.time_base
        self._temporary = path.with_name(f".{path.name[:80]}.{secrets.token_hex(4)}.tmp")
        self._sound_in, self._waiting, self._heard = sound, deque[Any](), None
        self._shown, self._lasts = Fraction(0), 0
        self._container: Any = None
        self._resampler: Any = None
        with self._writing():
            kind = KINDS[path.suffix.lower()]
            options = {"movflags": "+faststart"} if kind in ("mp4", "mov") else {}
            self._container = av.open(f"file:{self._temporary.absolute()}", "w", format=kind, options=options)
            self._container.metadata.update(labels or {})
            self._video = self._container.add_stream("libx264", rate=facts.rate, options=_QUALITY)
            self._video.width, self._video.height = facts.size
            self._video.pix_fmt = "yuv420p"
            self._video.codec_context.time_base = self._video.time_base = facts.time_base
            self._video.codec_context.flags |= Flags.frame_duration  # else no packet says how long it is shown
            self._sound = self._sound_stream(sound)

    def add(self, frame: Frame) -> None:
        """Write a frame. Raises NadaError where the disk is full."""
        with self._writing():
            if not self.frames:
                self._say_colours(frame)
            picture = coded(frame.y, frame.u, frame.v)
            picture.pts, picture.time_base, picture.duration = frame.ticks, self._base, frame.lasts
            self._container.mux(self._video.encode(picture))
            self.frames += 1
            self._lasts = frame.lasts
            self._shown = frame.ticks * self._base
            self._let_sound(self._shown)

    def hear(self, packet: Any) -> None:
        """Write a packet of sound, once the frames up to its time are written: a film that is stopped ends with both."""
        if self._sound is None:
            return
        self._waiting.append(packet)
        with self._writing():
            self._let_sound(self._shown)

    def finish(self, stopped: bool = False) -> Path:
        """Complete the file and give it its name.

        Args:
            stopped: the sound ends with the last frame.

        Raises:
            NadaError: the disk is full; nothing is left then.
        """
        with self._writing():
            self._let_sound(self._shown if stopped else None)
            if self._resampler is not None:
                for sound in (*self._resampler.resample(None), None):
                    self._container.mux(self._sound.encode(sound))
            last = list(self._video.encode(None))
            if last and self._lasts:  # MP4 ends when its last packet does, and that may hold an earlier frame
                last[-1].duration = self._lasts
            self._container.mux(last)
            self._container.close()
            self._container = None
            os.replace(self._temporary, self.path)
        return self.path

    def abandon(self) -> None:
        """Leave nothing of the file."""
        if self._container is not None:
            with contextlib.suppress(Exception):  # what it writes at its end is deleted at once
                self._container.close()
            self._container = None
        with contextlib.suppress(OSError):
            os.unlink(self._temporary)

    # -- inside

    def _sound_stream(self, sound: Any) -> Any:
        import av

        if sound is None:
            return None
        names = {sound.codec_context.name, sound.codec_context.codec.canonical_name}
        if names & _COPIED - (_NOT_IN_MOV if self.path.suffix.lower() == ".mov" else frozenset()):
            return self._container.add_stream_from_template(sound)
        rate, layout = sound.codec_context.rate, "mono" if sound.codec_context.channels == 1 else "stereo"
        rate = rate if rate in (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000) else 48000
        made = self._container.add_stream("aac", rate=rate, layout=layout)
        self._resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate, frame_size=1024)
        return made

    def _say_colours(self, frame: Frame) -> None:
        context, colours = self._video.codec_context, frame.colours
        context.colorspace, context.color_range = colours.matrix, colours.range
        context.color_primaries, context.color_trc = colours.primaries, colours.curve

    def _let_sound(self, until: Fraction | None) -> None:
        """Write the sound that waits, up to a time; all of it without one."""
        while self._waiting and (
            until is None or self._waiting[0].dts * self._waiting[0].time_base <= until or len(self._waiting) > _WAITING
        ):
            packet = self._waiting.popleft()
            if self._resampler is not None:
                self._encode_sound(packet)
            elif self._heard is None or packet.dts > self._heard:  # a step back in time, as damaged films have it, cannot be stored
                self._heard = packet.dts
                packet.stream = self._sound
                self._container.mux(packet)

    def _encode_sound(self, packet: Any) -> None:
        import av

        try:
            decoded = packet.decode()
        except (av.error.FFmpegError, ValueError):  # a damaged part of the sound is left out
            return
        for piece in decoded:
            for resampled in self._resampler.resample(piece):
                self._container.mux(self._sound.encode(resampled))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn errors of the disk and of the encoder into words, and leave nothing of the file then."""
        import av

        try:
            yield
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self.abandon()
            code = getattr(error, "errno", None)
            name = shown(self.path.name, 60)
            if code in (errno.ENOSPC, errno.EDQUOT):
                raise NadaError(f"Cannot write '{name}': the disk is full. Free some space, or choose another place.") from error
            if isinstance(error, (PermissionError, FileNotFoundError)):
                raise NadaError(f"Cannot write '{name}': its folder is read-only or gone. Choose another place.") from error
            reason = shown(getattr(error, "strerror", None) or error, 80)
            raise FilmError(f"'{name}' cannot be written ({reason}). Convert the film to MP4 with H.264 first.") from error
