"""`python -m tools.evaluate people --scenes 10`: are several people told apart?

Scenes of two to four people (who cross, hide each other, leave for three seconds and come back, with posters and a photograph on
a phone among them) run through the program's tracker, and through one that joins each box with the nearest of the last frame.
Printed are IDF1 and identity switches of both, whether a picture ever became the patient, and processor time by number of
faces. The aim is an IDF1 of 0.95 for live faces, and no picture as the patient.
"""

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.app.face_pipeline import FacePath, open_face_path
from realtime.app.nodes.detect_track import analysis_of
from realtime.app.nodes.people import MeasurePeople
from realtime.config import Config
from realtime.errors import FacemirrorError
from realtime.face.geometry import iou
from realtime.face.people import Observed, PeopleTracker
from realtime.types import Detections, Frame, TrackedFrame
from tools.evaluate.blur_scenes import collage_portraits
from tools.evaluate.identity_scores import identity_scores
from tools.evaluate.people_scenes import FPS, PeopleScene, Truth, people_scenes

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Boxes = dict[Hashable, F32]

AIM = 0.95
_SEEN = 0.6
"""Share of a face that must be visible for it to count."""
_UNSURE = 0.05
"""Between this and `_SEEN` a face counts neither as missed nor as found in vain."""
_FORGOTTEN = 1.0  # seconds after which the nearest-box tracker gives a lost face up
_REACH = 1.0  # face sizes within which it joins two boxes


class NearestBox:
    """What most programs do: each box of a detector gets the number of the nearest box of the last frames."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[F32, float]] = {}
        self._count = 0

    def update(self, seen: Detections) -> Boxes:
        """Number one frame's boxes."""
        time_now = seen.capture_time
        self._known = {n: (box, t) for n, (box, t) in self._known.items() if time_now - t <= _FORGOTTEN}
        faces = [face.box for face in seen.faces if face.score >= 0.7]
        pairs = sorted(
            (_apart(box, known), i, number) for i, box in enumerate(faces) for number, (known, _) in self._known.items()
        )
        names: dict[int, int] = {}
        for distance, i, number in pairs:
            if distance <= _REACH and i not in names and number not in names.values():
                names[i] = number
        for i in range(len(faces)):
            if i not in names:
                self._count += 1
                names[i] = self._count
        self._known.update({names[i]: (box, time_now) for i, box in enumerate(faces)})
        return {names[i]: box for i, box in enumerate(faces)}


@dataclass(slots=True)
class _Story:
    """One scene's frames: the truth, and what both trackers said. by_patient: frames on which each actor was the patient."""

    kind: str
    truth: list[Boxes] = field(default_factory=list)
    ours: list[Boxes] = field(default_factory=list)
    nearest: list[Boxes] = field(default_factory=list)
    by_patient: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    pictures: set[int] = field(default_factory=set)


def run_scene(scene: PeopleScene, path: FacePath, tracker: PeopleTracker, *, every: int = 1) -> _Story:
    """Both trackers over one scene. every: see `PeopleTracker.update`."""
    story = _Story(scene.kind, pictures={i for i, actor in enumerate(scene.actors) if not actor.alive})
    tracker.reset()
    other, held = NearestBox(), Boxes()
    for number in range(scene.frames):
        picture, truths = scene.draw(number)
        picture.flags.writeable = False
        frame = Frame(picture, number, number / FPS)
        seen = path.detector.detect(frame) if tracker.try_claim_detection(number) else None
        found = tracker.update(frame, seen, others_every=every)
        faces = [one for one in (found.patient, *found.others) if one is not None]
        boxes = Boxes({one.face_id: _core(one.points) for one in faces})
        # Who is not looked at on this frame is where the last frame had him.
        shown, held = boxes if every == 1 else Boxes({**held, **boxes}), boxes
        nearest = other.update(path.detector.detect(frame))
        _note(story, truths, shown, Boxes({n: _of_detector(box) for n, box in nearest.items()}))
        if found.patient is not None and truths:
            story.by_patient[_nearest_actor(_core(found.patient.points), truths)] += 1
    return story


def _nearest_actor(box: F32, truths: Sequence[Truth]) -> int:
    return max(truths, key=lambda one: iou(one.box, box)).actor


def _note(story: _Story, truths: Sequence[Truth], ours: Boxes, nearest: Boxes) -> None:
    """Add one frame. What lies on a face that hardly shows counts for nobody."""
    unsure = [one.box for one in truths if _UNSURE <= one.visible < _SEEN]
    story.truth.append(Boxes({one.actor: one.box for one in truths if one.visible >= _SEEN}))
    for boxes, frames in ((ours, story.ours), (nearest, story.nearest)):
        sure = [one.box for one in truths if one.visible >= _SEEN]
        frames.append(
            Boxes(
                {
                    number: box
                    for number, box in boxes.items()
                    if any(iou(box, one) >= 0.5 for one in sure) or not any(iou(box, one) >= 0.3 for one in unsure)
                }
            )
        )


def _core(points: F32) -> F32:
    """Brows to chin of (98, 2) points, as the scenes give the truth."""
    return np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32)


def _of_detector(box: F32) -> F32:
    """The same of a detector's box, which has the forehead, too."""
    out: F32 = box.copy()
    out[1] += 0.2 * (box[3] - box[1])
    return out


def _apart(a: F32, b: F32) -> float:
    """Distance of two boxes' middles in sizes of the first."""
    size = max(float(a[2] - a[0]), float(a[3] - a[1]), 1.0)
    return float(np.hypot(*((a[:2] + a[2:]) - (b[:2] + b[2:]))) / 2 / size)


def summary(stories: Sequence[_Story]) -> dict[str, dict[str, float]]:
    """Scores by kind of scene and over all. Identities of different scenes never agree."""
    table: dict[str, dict[str, float]] = {}
    for kind in [*dict.fromkeys(one.kind for one in stories), "all"]:
        chosen = [(i, one) for i, one in enumerate(stories) if kind in (one.kind, "all")]
        row: dict[str, float] = {}
        truth = [_named(i, frame) for i, one in chosen for frame in one.truth]
        for name in ("ours", "nearest"):
            scores = identity_scores(truth, [_named(i, frame) for i, one in chosen for frame in getattr(one, name)])
            row |= {f"IDF1 {name}": round(scores.idf1, 4), f"switches {name}": scores.switches}
            if name == "ours":
                row |= {"missed": scores.missed, "false": scores.false, "faces": scores.truth}
        row["frames with a patient"] = sum(sum(one.by_patient.values()) for _, one in chosen)
        row["frames with a picture as the patient"] = sum(
            count for _, one in chosen for actor, count in one.by_patient.items() if actor in one.pictures
        )
        row["changes of patient"] = sum(max(0, len(one.by_patient) - 1) for _, one in chosen)
        table[kind] = row
    return table


def _named(scene: int, boxes: Mapping[Hashable, F32]) -> Boxes:
    return Boxes({(scene, number): box for number, box in boxes.items()})


def processor_time(scenes: Iterator[PeopleScene], weights: Path | None, frames: int) -> dict[str, float]:
    """Milliseconds of processor time a frame (detection, landmarks, Action Units) with so many people, at 30 frames a second."""
    scene = next(one for one in scenes if one.kind == "four")
    drawn = [scene.draw(number)[0] for number in range(frames)]
    found: dict[str, float] = {}
    for people in (1, 2, 4):
        opened = open_face_path(Config(people=people, weights=weights), 720, 1280)
        tracker, every = opened.tracker, 2
        measure = MeasurePeople(opened.measures, opened.another)
        started = 0.0
        for number, picture in enumerate(drawn):
            picture.flags.writeable = False
            if number == frames // 4:  # what comes before is start-up
                started = time.process_time()
            frame = Frame(picture, number, number / FPS)
            seen = opened.detector.detect(frame, tracker.region) if tracker.try_claim_detection(number) else None
            if isinstance(tracker, PeopleTracker):
                analysis = analysis_of(frame, tracker.update(frame, seen, others_every=every))
            else:
                analysis = analysis_of(frame, Observed(tracker.update(frame, seen)))
            measure.process(TrackedFrame(analysis, frame))
        spent = time.process_time() - started
        found[f"{people} people"] = round(1e3 * spent / (frames - frames // 4), 2)
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Print the figures; 1 where an aim is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.evaluate people",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scenes", type=int, default=10, help="scenes of 12 s each (default 10)")
    parser.add_argument("--seed", type=int, default=1, help="of the scenes (default 1)")
    parser.add_argument("--every", type=int, default=1, help="the others are looked at on every n-th frame (default 1)")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="folder with manifest.toml and models")
    parser.add_argument("--times", action="store_true", help="also measure processor time")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    options = parser.parse_args(words)
    cv2.setNumThreads(1)
    shared = Path(os.environ.get("FACEMIRROR_SHARED", "../shared"))
    try:
        portraits = collage_portraits(shared / "faces" / "sfhq")
        path = open_face_path(Config(people=4, weights=options.weights), 720, 1280)
        assert isinstance(path.tracker, PeopleTracker)
        stories = []
        for scene in islice(people_scenes(portraits, options.seed), options.scenes):
            stories.append(run_scene(scene, path, path.tracker, every=options.every))
            print(json.dumps({scene.kind: summary(stories[-1:])["all"]}), file=sys.stderr, flush=True)
        figures: dict[str, dict[str, float]] = summary(stories)
        if options.times:
            figures["ms of processor time a frame"] = processor_time(
                people_scenes(portraits, options.seed), options.weights, 240
            )
    except FacemirrorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for kind, row in figures.items():
        print(kind)
        for name, value in row.items():
            print(f"    {name:40} {value}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    total = figures["all"]
    return int(total["IDF1 ours"] < AIM or total["frames with a picture as the patient"] > 0)


if __name__ == "__main__":
    sys.exit(main())
