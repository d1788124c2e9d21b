"""Small sessions whose pictures say which one they are."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime.files import write_json
from realtime.media.lossless import RawRecorder
from realtime.media.recorder import VideoRecorder
from realtime.session.decision_log import DecisionLog
from realtime.session.folder import SESSION, use_session_folder
from realtime.session.writer import SessionWriter
from realtime.types import U8, Analysis, FaceObservation, FacePart, Frame

SIZE = (320, 180)
START = 500.0
UNITS = (1, 12, 45)


def time_of(sequence: int) -> float:
    """Capture times as a camera gives them: not quite even."""
    return START + sequence / 30 + 0.002 * np.sin(1.7 * sequence)


def picture(number: int) -> U8:
    """Ten stripes, white where the number's bit is set."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for bit in range(10):
        if number >> bit & 1:
            image[:, 32 * bit : 32 * bit + 32] = 235
    return image


def number_of(jpeg: bytes) -> int:
    """Which picture it is."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    step = image.shape[1] / 10
    return sum((image[:, int((bit + 0.3) * step) : int((bit + 0.7) * step)].mean() > 120) << bit for bit in range(10))


def analysis(sequence: int, taken: float, *, face: bool = True) -> Analysis:
    """A frame's result: points on a circle, AU12 grows with the frame; frames 60 to 65 have a hidden eye and mouth."""
    angle = np.linspace(0, 2 * np.pi, 98, endpoint=False)
    points = (np.stack([160 + 40 * np.cos(angle), 90 + 40 * np.sin(angle)], axis=1) + sequence / 10).astype(np.float32)
    box = np.concatenate([points.min(axis=0), points.max(axis=0)])
    hidden: tuple[FacePart, ...] = ("left eye", "mouth") if 60 <= sequence < 66 else ()
    seen = FaceObservation(
        1, box, points, points, 0.9, detected=True, pose=(1.0, 2.0, 3.0), hidden=hidden, hidden_known=True
    )
    left = dict.fromkeys(UNITS, sequence % 100 / 20)
    right = dict.fromkeys(UNITS, sequence % 50 / 20)
    return Analysis(sequence, taken, seen if face else None, left if face else {}, right if face else {})


def make_session(
    folder: Path,
    frames: int = 90,
    *,
    dropped: Iterable[int] = (),
    shown: bool = True,
    raw: bool = False,
    settings: dict[str, Any] | None = None,
    finished: bool = True,
    at: Callable[[int], float] | None = None,
    several: bool = False,
) -> Path:
    """A session by the program's own writers; several: with a second person, face 2."""
    use_session_folder(folder)
    writer = SessionWriter(folder, lambda: START, several=several)
    assert writer.csv is not None
    video = VideoRecorder(folder / "video.mp4") if shown else None
    log = DecisionLog(folder / "decisions.jsonl", lambda: START) if raw else None
    captured = RawRecorder(folder / "raw.mkv", log.raw) if log is not None else None
    gone = set(dropped)
    for sequence in range(frames):
        taken = (at or time_of)(sequence)
        writer.markers.captured(sequence)
        writer.csv.captured(sequence, taken)
        if sequence in gone:
            writer.csv.dropped(sequence, "too late")
            writer.csv.not_measured(sequence)
            continue
        if video is not None:
            video.write(picture(sequence), taken)
        if captured is not None:
            captured.put(Frame(picture(sequence), sequence, taken), wait=True)
        writer.csv.shown(sequence, 0.0)
        found = analysis(sequence, taken, face=not 20 <= sequence < 25)
        if several and found.face is not None:
            found = replace(found, others=(Analysis(sequence, taken, replace(found.face, face_id=2)),))
        writer.csv.measured(found)
        if sequence == 30:
            writer.markers.mark("smile", capture_time=taken, sequence=sequence, origin="key")
    for part in (video, captured, log):
        if part is not None:
            part.close()
    writer.close()
    chosen = {"view": "raw", **(settings or {})}
    write_json(
        folder / SESSION,
        {"format": 1, "configuration": {name: {"value": value} for name, value in chosen.items()}},
    )
    if finished:
        writer.seal()
    return folder
