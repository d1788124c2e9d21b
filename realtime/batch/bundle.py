"""What a batch leaves behind for one recording: a session folder like any other, without anything that differs between runs.

No wall clock, no duration, no machine: the same recording with the same program, models and settings gives the same bytes.
What a run took and where it ran stands in the ledger.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from realtime.action_units.recording_rest import Rest
from realtime.batch.fingerprint import Fingerprint
from realtime.batch.inputs import Input
from realtime.batch.passes import Recording
from realtime.batch.patient import NOBODY
from realtime.files import open_private, write_json
from realtime.models import ModelSpec
from realtime.session.folder import FRAMES, SESSION
from realtime.session.manifest import write_manifest
from realtime.session.schema import AUS, FrameRow, RowFormat, column_names, data_dictionary
from realtime.types import Analysis, Sides

DICTIONARY = "data_dictionary.json"
_LINES_AT_ONCE = 64


@dataclass(slots=True)
class Summary:
    """Figures of one recording's Action Units, gathered row by row.

    Attributes:
        sums, counts, peaks: by Action Unit and side.
    """

    sums: dict[int, Sides[list[float]]] = field(default_factory=dict)

    def add(self, analysis: Analysis) -> None:
        """One row."""
        for side, values in enumerate((analysis.au_left, analysis.au_right)):
            for unit, value in values.items():
                if math.isfinite(value):
                    # sum, count, peak
                    both = self.sums.get(unit)
                    if both is None:
                        both = self.sums[unit] = Sides([0.0, 0.0, 0.0], [0.0, 0.0, 0.0])
                    held = both[side]
                    held[0] += value
                    held[1] += 1
                    held[2] = max(held[2], value)

    def as_json(self) -> dict[str, float]:
        """mean and peak by column name; what was never measured has no entry."""
        found = {}
        for unit in sorted(self.sums):
            for side, (total, count, peak) in zip(("left", "right"), self.sums[unit], strict=True):
                if count:
                    found[f"AU{unit:02d}_{side}_mean"] = round(total / count, 4)
                    found[f"AU{unit:02d}_{side}_peak"] = round(peak, 4)
        return found


def write_rows(
    folder: Path, analyses: Iterator[Analysis], summary: Summary, *, several: bool = False
) -> Iterator[Analysis]:
    """Write frames.csv, and pass every analysis on to whoever draws it.

    Args:
        folder: of the bundle.
        analyses: frame by frame.
        summary: takes in every frame: of several people, the patient's face.
        several: several people are followed: a row for each face on each frame.

    Raises:
        OSError: the disk does not take it.
    """
    form, lines = RowFormat(AUS, several=several), list[str]()
    with open_private(folder / FRAMES, "x", newline="") as file:
        file.write(",".join(column_names(AUS, several=several)) + "\n")
        for analysis in analyses:
            summary.add(analysis)
            lines.append(form.line(FrameRow(analysis.sequence, analysis.capture_time, analysis=analysis)))
            if len(lines) >= _LINES_AT_ONCE:
                file.write("".join(lines))
                lines.clear()
            yield analysis
        file.write("".join(lines))
    write_json(folder / DICTIONARY, {FRAMES: data_dictionary(several=several)})


@dataclass(frozen=True, slots=True)
class Description:
    """What session.json says.

    Attributes:
        one: the recording.
        sha256: of its file.
        fingerprint: program, models and settings.
        models: what was opened.
        recording: what the first pass found.
        notices: sentences for the user.
        summary: of the Action Units.
    """

    one: Input
    sha256: str
    fingerprint: Fingerprint
    models: tuple[ModelSpec, ...]
    recording: Recording
    notices: list[str]
    summary: Mapping[str, Any]

    def write(self, folder: Path) -> None:
        """Write session.json. Raises DeviceError."""
        found = self.recording
        settings = {name: {"value": value, "from": "batch"} for name, value in self.fingerprint.settings.items()}
        content = {
            "format": 1,
            "written": "",
            "program": dict(self.fingerprint.program),
            "configuration": settings,
            "models": [{"name": m.name, "sha256": m.sha256, "licence": m.licence} for m in self.models],
            "columns": data_dictionary(several=int(self.fingerprint.settings.get("people", 1)) > 1),
            "affected_side": None,
            "summary": {
                "ended": "the recording's end",
                "frames": found.frames,
                "face_frames": found.with_face,
                "seconds": round(found.seconds, 6),
                "notices": self.notices,
                "action_units": dict(self.summary),
            },
            "batch": {
                "recording": self.one.name,
                "input": {
                    "file": self.one.path.name,
                    "sha256": self.sha256,
                    "width": found.width,
                    "height": found.height,
                    "fps": found.fps,
                },
                "columns": dict(self.one.columns),
                "calibration": None if self.one.calibration is None else list(self.one.calibration),
                "rest": {str(key): _rest(rest) for key, rest in sorted(found.rests.items())},
                "fingerprint": self.fingerprint.hash,
            }
            | ({} if found.patient is None else {"patient": None if found.patient == NOBODY else found.patient}),
        }
        write_json(folder / SESSION, content)


def _rest(rest: Rest) -> dict[str, Any]:
    """For people and other programs: how well the rest is known, and the rest itself."""
    baseline = None if rest.baseline is None else _rounded(rest.baseline.as_json())
    return {
        "settled": rest.settled,
        "calibrated": rest.calibrated,
        "frames": rest.frames,
        "baseline": baseline,
    }


def _rounded(content: dict[str, Any]) -> dict[str, Any]:
    for key in ("shape", "look"):
        if content[key] is not None:
            content[key] = np.round(np.array(content[key], np.float64), 6).tolist()
    return content


def seal(folder: Path) -> None:
    """Write the manifest, the last file of a bundle. Raises DeviceError."""
    write_manifest(folder)
