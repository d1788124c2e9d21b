"""A finished session of a few seconds, made without a run."""

import math
from pathlib import Path

import numpy as np

from realtime.files import write_json
from realtime.session.manifest import write_manifest
from realtime.session.schema import AUS, FrameRow, RowFormat, column_names, data_dictionary
from realtime.types import Analysis, FaceObservation

START = 1000.25


def values(second: float, side: float) -> dict[int, float]:
    """Intensities at a moment; AU 7 is never measured."""
    return {au: 2.5 + 2 * math.sin(second * (1 + au / 10) + side) for au in AUS if au != 7}


def analyses(seconds: float, rate: float, start: float, bias: float = 0.0) -> list[Analysis]:
    """What a run of these seconds measures; no face on every tenth frame."""
    points = np.arange(196, dtype=np.float32).reshape(98, 2)
    face = FaceObservation(
        1, np.array([1, 2, 30, 40], np.float32), points, points, 0.9, detected=True, pose=(1.0, 2.0, 3.0)
    )
    found = []
    for number in range(round(seconds * rate)):
        at = number / rate
        if number % 10 == 9:
            found.append(Analysis(number, start + at, None))
            continue
        left = {au: value + bias for au, value in values(at, 0.0).items()}
        found.append(Analysis(number, start + at, face, left, values(at, 0.5), rest="settled"))
    return found


def make_session(
    folder: Path, *, seconds: float = 3.0, rate: float = 30.0, start: float = START, bias: float = 0.0
) -> Path:
    """Write frames.csv, session.json and the manifest.

    Args:
        folder: made here.
        seconds: how long.
        rate: rows a second.
        start: capture time of the first row.
        bias: added to the left side's intensities.
    """
    folder.mkdir(parents=True)
    form, lines = RowFormat(AUS), [",".join(column_names(AUS)) + "\n"]
    for analysis in analyses(seconds, rate, start, bias):
        lines.append(form.line(FrameRow(analysis.sequence, analysis.capture_time, True, analysis=analysis)))
    (folder / "frames.csv").write_text("".join(lines), encoding="utf-8")
    write_json(
        folder / "session.json",
        {
            "format": 1,
            "written": "2026-03-01T12:00:00+00:00",
            "started": {"utc": "2026-03-01T12:00:00+00:00", "capture_clock": start - 1.0},
            "columns": data_dictionary(),
        },
    )
    write_manifest(folder)
    return folder
