#!/usr/bin/env bash
# PyAV 18.1.0 (FFmpeg 8.1.2): how long a frame is to be shown is set on it, and the encoder does not hand it on.
#
# Expected: frames carry `pts` and `duration`; both are given, as a decoder of GIF, WebP or a phone's slide show gives them, so the film
#           lasts as long as the last frame says: 0.2 s + 0.9 s.
# Happens:  packets leave libx264 with a duration of 0, and the last frame lasts as long as the average rate says: the rest of a GIF on its
#           last picture is lost, without a warning. The flag `frame_duration` on the encoder's context, off by default, hands durations on.
#           Even so an MP4 ends with the last packet in the order of decoding; that is an earlier frame wherever the last ones hold a
#           B-frame, as libx264 makes them by default: the film is shorter still. It comes right without B-frames only.
# Seen:     as it is: the packets' durations are [0, 0, 0], the film lasts 0.56 s
#           with the flag: the packets' durations are [10, 90, 10], the film lasts 0.30 s
#           with the flag, without B-frames: the packets' durations are [10, 10, 90], the film lasts 1.10 s
# Here:     the writer of films sets the flag, and gives the last packet the last frame's duration.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "av==18.1.0"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from fractions import Fraction

import av
from av.codec.context import Flags

path, base = sys.argv[1] + "/film.mp4", Fraction(1, 100)
frames = ((0, 10), (10, 10), (20, 90))  # when each is shown, and for how long, in hundredths of a second: as in a GIF


def written(flag, **options):
    """Return the durations of the encoder's packets, in the order in which they come, and that of the film in seconds."""
    packets = []
    with av.open(path, "w") as film:
        video = film.add_stream("libx264", rate=Fraction(25, 9), options=options)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        video.codec_context.time_base = video.time_base = base
        if flag:
            video.codec_context.flags |= Flags.frame_duration
        frame = av.VideoFrame(64, 64, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([128]) * plane.buffer_size)
        for shown, lasts in frames:
            frame.pts, frame.time_base, frame.duration = shown, base, lasts
            packets += video.encode(frame)
        packets += video.encode(None)
        durations = [packet.duration for packet in packets]
        film.mux(packets)
    with av.open(path) as film:
        return durations, film.duration / 1e6


cases = {"as it is": written(False), "with the flag": written(True), "with the flag, without B-frames": written(True, bf="0")}
for name, (durations, seconds) in cases.items():
    print(f"{name}: the packets' durations are {durations}, the film lasts {seconds:.2f} s")
plain, flagged, ordered = cases.values()
as_it_was = plain[0] == [0, 0, 0] and plain[1] < 0.6 and flagged[0] == [10, 90, 10] and flagged[1] < 0.35
right = ordered[0] == [10, 10, 90] and abs(ordered[1] - 1.1) < 0.01
sys.exit(0 if as_it_was and right else "This has changed.")
PYTHON
