"""`python -m tools.evaluate clips FILE_OR_FOLDER ...`: the program beside MediaPipe on clips of real people, frame by frame.

Each clip runs through `FaceTracker` (the live path with its running rest, no frame left out) and through MediaPipe's face landmarker.
Printed for each clip and over all of them are Pearson r of AU 12 (MediaPipe's smile), AU 25 (the gap of MediaPipe's inner lips over the
distance of the eyes), AU 26 (its open jaw) and AU 45 (its shut eyes), means of both sides, and by how much MediaPipe's own series moves:
of a jaw that stays shut (below 0.2) r tells next to nothing, so that the mean over jaws that open stands apart; and its blinks: found,
missed, invented, and by how many frames ours are late.
MediaPipe is no truth: it is the same yardstick before and after a change of a network.
With --json the series are written too, so that a change can be looked at frame by frame.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.analyze import FaceTracker
from realtime.errors import FacemirrorError, UserInputError
from tools.data.face_landmarker import FaceLandmarker
from tools.evaluate.figures import Figure, table

F64 = NDArray[np.float64]

PART = "clips"
KINDS = (".mp4", ".mov", ".gif", ".avi", ".mkv", ".webm")
UNITS = {12: "smile", 25: "lips", 26: "jaw", 45: "blink"}
AIMS = {12: 0.90, 25: 0.85, 26: 0.87}
_SMILES = ("mouthSmileLeft", "mouthSmileRight")
_BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")
_LIPS, _EYES = (13, 14), (33, 263)
"""MediaPipe's points at the middle of the inner lips, and at the outer corners of the eyes."""
_LEAST_SPREAD = 0.02
"""A series of MediaPipe's that moves less than this says nothing about agreement; r is left out."""
OPEN_JAW = 0.2
"""By how much MediaPipe's open jaw moves at least on a clip whose jaw opens."""
BLINK_RISE, BLINK_SHUT = 0.25, 0.4
"""A blink of MediaPipe's: its shut eyes pass BLINK_SHUT and this much above their median of a second around."""
OURS_RISE = 1.0
"""A blink of ours: AU 45 this much above its median of a second around."""
LONGEST_BLINK, REACH = 0.6, 0.25
"""Seconds: what is shut for longer is no blink; blinks this near to each other are the same one."""


@dataclass(slots=True)
class Series:
    """One clip, frame by frame; NaN where no face was found. ours: by Action Unit, both sides' mean. theirs: by UNITS' names."""

    name: str
    times: list[float] = field(default_factory=list)
    ours: dict[int, list[float]] = field(default_factory=lambda: {unit: [] for unit in UNITS})
    theirs: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in UNITS.values()})


def follow(clip: Path, theirs: FaceLandmarker, weights: Path | None) -> Series:
    """Both programs on every frame of a clip."""
    out = Series(clip.stem)
    with FaceTracker(clip, weights=weights) as tracker:
        for frame, face in tracker:
            out.times.append(frame.capture_time)
            found = dict.fromkeys(UNITS.values(), float("nan"))
            if face is not None:
                mesh = theirs.points(np.ascontiguousarray(frame.image), face.points.astype(np.float32))
                shapes = theirs.blend_shapes(mesh)
                found["smile"] = float(np.mean([shapes[name] for name in _SMILES]))
                found["blink"] = float(np.mean([shapes[name] for name in _BLINKS]))
                found["jaw"] = shapes["jawOpen"]
                lips, eyes = (float(np.linalg.norm(mesh[a, :2] - mesh[b, :2])) for a, b in (_LIPS, _EYES))
                found["lips"] = lips / max(eyes, 1e-6)
            for name, values in out.theirs.items():
                values.append(found[name])
            for unit, values in out.ours.items():
                sides = () if face is None else tuple(side[unit] for side in face.action_units)
                values.append(float(np.mean(sides)) if sides else float("nan"))
    return out


def agreement(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, int]:
    """Pearson r over the frames on which both have a value, and how many those are; NaN where MediaPipe's series hardly moves."""
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 10 or b[both].std() < _LEAST_SPREAD or a[both].std() == 0:
        return float("nan"), int(both.sum())
    return float(np.corrcoef(a[both], b[both])[0, 1]), int(both.sum())


def blinks(values: Sequence[float], times: Sequence[float], rise: float, least: float = -np.inf) -> list[int]:
    """Frames at which a series stands highest in each of its blinks.

    Args:
        values: of each frame; NaN where there is none.
        times: of each frame, seconds.
        rise: how far above the median of the second around it a blink goes.
        least: what it reaches at all.
    """
    series, clock = np.asarray(values, np.float64), np.asarray(times, np.float64)
    usual = np.array([_median(series[np.abs(clock - t) <= 1.0]) for t in clock])
    high = np.nan_to_num(series - usual, nan=-np.inf) > rise
    high &= np.nan_to_num(series, nan=-np.inf) > least
    edges = np.flatnonzero(np.diff(np.concatenate([[0], high.astype(np.int8), [0]])))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [a + int(np.argmax(series[a:b])) for a, b in runs if clock[b - 1] - clock[a] <= LONGEST_BLINK]


def _median(values: F64) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def matched(known: list[int], found: list[int], times: Sequence[float]) -> tuple[list[int], int, int]:
    """Frames by which each known blink's match is late, how many known ones have none, how many found ones match none."""
    free, late = list(found), []
    for frame in known:
        near = [other for other in free if abs(times[other] - times[frame]) <= REACH]
        if near:
            best = min(near, key=lambda other: abs(other - frame))
            free.remove(best)
            late.append(best - frame)
    return late, len(known) - len(late), len(free)


def reach(values: Sequence[float]) -> float:
    """Largest less smallest value; 0 where there is none."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    return float(np.ptp(known)) if len(known) else 0.0


def clip_figures(clip: Series) -> list[Figure]:
    """Of one clip."""
    out = []
    for unit, name in UNITS.items():
        r, cases = agreement(clip.ours[unit], clip.theirs[name])
        if np.isfinite(r):
            out.append(Figure(PART, f"{clip.name}: AU{unit:02d}, r with MediaPipe", r, cases=cases))
            title = f"{clip.name}: AU{unit:02d}, MediaPipe's series moves by"
            out.append(Figure(PART, title, reach(clip.theirs[name]), cases=cases))
    known = blinks(clip.theirs["blink"], clip.times, BLINK_RISE, BLINK_SHUT)
    late, _, invented = matched(known, blinks(clip.ours[45], clip.times, OURS_RISE), clip.times)
    out += [
        Figure(PART, f"{clip.name}: MediaPipe's blinks found", float(len(late)), cases=len(known)),
        Figure(PART, f"{clip.name}: blinks that MediaPipe has not", float(invented)),
    ]
    if late:
        out.append(Figure(PART, f"{clip.name}: latest blink, frames", float(max(late)), cases=len(late)))
    return out


def together(clips: Sequence[Series]) -> list[Figure]:
    """Means over the clips on which MediaPipe's series moves, and the sum of the blinks."""
    out = []
    for unit, name in UNITS.items():
        values = [agreement(clip.ours[unit], clip.theirs[name])[0] for clip in clips]
        values = [value for value in values if np.isfinite(value)]
        if values:
            title = f"all clips: AU{unit:02d}, mean r with MediaPipe"
            out.append(Figure(PART, title, float(np.mean(values)), at_least=AIMS.get(unit), cases=len(values)))
    opening = [clip for clip in clips if reach(clip.theirs["jaw"]) >= OPEN_JAW]
    found = [r for clip in opening if np.isfinite(r := agreement(clip.ours[26], clip.theirs["jaw"])[0])]
    if found:
        title = f"clips whose jaw opens by {OPEN_JAW:g} or more: AU26, mean r with MediaPipe"
        out.append(Figure(PART, title, float(np.mean(found)), cases=len(found)))
    return out


def chosen(places: Sequence[Path]) -> list[Path]:
    """The clips that were named, and those in the folders that were named.

    Raises:
        UserInputError: there are none.
    """
    files = [
        file
        for place in places
        for file in (sorted(place.iterdir()) if place.is_dir() else [place])
        if file.suffix.lower() in KINDS
    ]
    if not files:
        raise UserInputError(f"no clips in {', '.join(map(str, places))}; name files of {', '.join(KINDS)} or folders.")
    return files


def main(arguments: Sequence[str]) -> int:
    """Command line; the exit code is 1 where an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m tools.evaluate clips", description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+", metavar="FILE_OR_FOLDER")
    parser.add_argument("--weights", type=Path, help="a folder with manifest.toml (default: the embedded models)")
    parser.add_argument("--json", type=Path, help="also write the figures and every clip's series there")
    options = parser.parse_args(arguments)
    shared = Path(os.environ.get("FACEMIRROR_SHARED", "../shared"))
    try:
        files = chosen(options.clips)
        theirs = FaceLandmarker(shared)
        clips = [follow(file, theirs, options.weights) for file in files]
    except FacemirrorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    figures = [figure for clip in clips for figure in clip_figures(clip)] + together(clips)
    print(table(figures))
    if options.json is not None:
        series = [{"name": c.name, "times": c.times, "ours": c.ours, "theirs": c.theirs} for c in clips]
        written = {"figures": [[f.name, f.value, f.cases] for f in figures], "clips": series}
        options.json.write_text(json.dumps(written, default=float), encoding="utf-8")
    return int(any(figure.met is False for figure in figures))
