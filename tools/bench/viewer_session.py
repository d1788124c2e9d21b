"""A long session made cheaply: the embedded clip recorded once and its packets repeated, with rows by the real session writer."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from realtime.files import write_json
from realtime.media.demux_options import demo_clip
from realtime.media.recorder import VideoRecorder
from realtime.session.folder import SESSION, use_session_folder
from realtime.session.writer import SessionWriter
from realtime.types import F32, Analysis, FaceObservation

_FPS = 30.0
_TICKS = 90_000
_UNITS = (1, 2, 4, 6, 7, 9, 10, 12, 15, 17, 25, 26, 45)
_START = 1000.0


def make_session(folder: Path, seconds: float, *, size: tuple[int, int] = (1280, 720), still: bool = False) -> Path:
    """A finished session.

    Args:
        folder: new or empty.
        seconds: how long it lasts.
        size: of its pictures.
        still: leave the pictures out.

    Returns:
        The folder.
    """
    use_session_folder(folder)
    if not still:
        _film(folder, seconds, size)
    writer = SessionWriter(folder, lambda: _START)
    assert writer.csv is not None
    for analysis in _analyses(round(seconds * _FPS), size):
        writer.markers.captured(analysis.sequence)
        writer.csv.captured(analysis.sequence, analysis.capture_time)
        writer.csv.shown(analysis.sequence, 0.0)
        writer.csv.measured(analysis)
        if analysis.sequence % 9000 == 100:
            writer.markers.mark(
                "smile", capture_time=analysis.capture_time, sequence=analysis.sequence, origin="dashboard"
            )
    writer.close()
    settings = {"view": "raw", "selfie": False, "panel": "off"}
    write_json(
        folder / SESSION,
        {
            "format": 1,
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "configuration": {name: {"value": value, "from": "bench"} for name, value in settings.items()},
            "summary": {"ended": "the end of the source"},
        },
    )
    writer.seal()
    return folder


def _time(sequence: int) -> float:
    """Capture times as a camera gives them: not quite even."""
    return _START + sequence / _FPS + 0.002 * math.sin(1.7 * sequence)


def _film(folder: Path, seconds: float, size: tuple[int, int]) -> None:
    once = folder / ".once.mp4"
    recorder = VideoRecorder(once, fps=_FPS)
    with av.open(str(demo_clip())) as clip:
        for sequence, picture in enumerate(clip.decode(video=0)):
            image = picture.reformat(*size, format="bgr24").to_ndarray()
            recorder.write(image, _time(sequence))
            if sequence + 1 >= seconds * _FPS:
                break
    recorder.close()
    _repeat(once, folder / "video.mp4", round(seconds * _FPS))
    once.unlink()


def _repeat(once: Path, target: Path, count: int) -> None:
    """Write the recording's packets over and over, in fragments as the recorder makes them."""
    flags = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "250000"}
    flags["video_track_timescale"] = str(_TICKS)
    with av.open(str(once)) as source, av.open(str(target), "w", format="mp4", options=flags) as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        packets = [(bytes(packet), packet.is_keyframe) for packet in source.demux(video=0) if packet.size]
        for sequence in range(count):
            content, key = packets[sequence % len(packets)]
            packet = av.Packet(content)
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, _TICKS), key
            packet.pts = packet.dts = round((_time(sequence) - _START) * _TICKS)
            container.mux(packet)


def _analyses(count: int, size: tuple[int, int]) -> Iterator[Analysis]:
    angle = np.linspace(0, 2 * np.pi, 98, endpoint=False)
    face = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (0.2 * size[1], 0.3 * size[1])
    for sequence in range(count):
        moment = sequence / _FPS
        centre = (size[0] * (0.5 + 0.05 * math.sin(moment)), 0.5 * size[1])
        points: F32 = (face + centre).astype(np.float32)
        box: F32 = np.concatenate([points.min(axis=0), points.max(axis=0)])
        seen = FaceObservation(1, box, points, points, 0.99, detected=sequence % 10 == 0, pose=(1.0, -2.0, 0.5))
        smile = max(0.0, 4 * math.sin(moment / 3))
        left = {unit: smile + 0.01 * unit for unit in _UNITS}
        right = {unit: 0.4 * smile + 0.01 * unit for unit in _UNITS}
        away = 4 <= moment % 60 < 6
        known = None if away else seen
        yield Analysis(
            sequence,
            _time(sequence),
            known,
            {} if away else left,
            {} if away else right,
            neutral="running",
            rest="settled",
        )
