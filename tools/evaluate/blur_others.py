"""`python -m tools.evaluate blur-others --scenes 5`: is anybody but the patient open in what `--blur-face others` records?

Scenes of two to four people who cross, hide each other, leave, come back and enter (see `people_scenes`) run through the whole
program; every recorded frame is compared with its scene, and searched by detectors that the program does not use. The patient is
who was it on most frames of the scene; whoever else is shown open counts, also where the program took them for the patient.
"""

import argparse
import csv
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np

from realtime.cli import main as program
from realtime.errors import DeviceError, FacemirrorError
from realtime.face.geometry import iou
from realtime.types import F32, U8
from tools.evaluate.blur_judge import BlazeFace, judge_detections, open_faces, upstream_retinaface
from tools.evaluate.blur_scenes import Face, collage_portraits
from tools.evaluate.people_scenes import FPS, PeopleScene, Truth, people_scenes

Judge = Callable[[U8], list[F32]]


def evaluate(scene: PeopleScene, judges: Sequence[Judge], *, keep: Path | None = None) -> Counter[str]:
    """Run one scene and judge every recorded frame; counts by name.

    Args:
        scene: of several people.
        judges: detectors that see boxes in a picture.
        keep: a folder for the pictures with a bystander's open face.
    """
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        session = _record(scene, Path(folder))
        with (session / "frames.csv").open(newline="") as file:
            patient = patient_of(csv.DictReader(file), lambda number: scene.draw(number)[1])
        for number, recorded in _pictures(session / "video.mp4"):
            drawn, truths = scene.draw(number)
            counts.update(judge_frame(drawn, recorded, truths, patient, judges))
            if keep is not None and open_bystanders(drawn, recorded, truths, patient):
                cv2.imwrite(str(keep / f"{scene.kind}-{number:04}.png"), np.hstack([drawn, recorded]))
    counts["scenes without a patient"] += patient is None
    return counts


def patient_of(rows: Iterator[Mapping[str, str]], truths_of: Callable[[int], Sequence[Truth]]) -> int | None:
    """The actor who was the patient on most frames; None where nobody ever was.

    Args:
        rows: of frames.csv.
        truths_of: who is on a frame.
    """
    votes: Counter[int] = Counter()
    for row in rows:
        if row["person"] != "patient" or int(row["sequence"]) % 10:  # every tenth frame tells enough
            continue
        box = np.array([float(row[f"box_{edge}"]) for edge in ("x1", "y1", "x2", "y2")], np.float32)
        truths = truths_of(int(row["sequence"]))
        if truths:
            votes[max(truths, key=lambda one: iou(one.box, box)).actor] += 1
    return votes.most_common(1)[0][0] if votes else None


def judge_frame(
    drawn: U8, recorded: U8, truths: Sequence[Truth], patient: int | None, judges: Sequence[Judge]
) -> Counter[str]:
    """What one recorded frame shows.

    Args:
        drawn: the scene's picture.
        recorded: what was recorded of it.
        truths: who is on it.
        patient: the actor who may be seen.
        judges: detectors.
    """
    others = [_face(one) for one in truths if one.actor != patient]
    own = [one for one in truths if one.actor == patient]
    counts: Counter[str] = Counter(frames=1)
    counts["bystanders"] = len(others)
    counts["open bystanders"] = len(open_bystanders(drawn, recorded, truths, patient))
    seen = 0
    for judge in judges:
        boxes = [box for box in judge(recorded) if not any(_is_his(box, one, truths) for one in own)]
        seen = max(seen, len(judge_detections(drawn, recorded, others, boxes).open))
    counts["open bystanders that a detector sees"] = seen
    counts["frames with the patient in clear"] = int(bool(open_faces(drawn, recorded, [_face(one) for one in own])))
    return counts


def open_bystanders(drawn: U8, recorded: U8, truths: Sequence[Truth], patient: int | None) -> list[Face]:
    """Faces of others than the patient that can be recognised.

    Args:
        drawn: the scene's picture.
        recorded: what was recorded of it.
        truths: who is on it.
        patient: the actor who may be seen.
    """
    return open_faces(drawn, recorded, [_face(one) for one in truths if one.actor != patient])


def _is_his(box: F32, own: Truth, truths: Sequence[Truth]) -> bool:
    """Whether a detector's box lies on the patient's face rather than on anybody else's."""
    return max(truths, key=lambda one: iou(one.box, box)).actor == own.actor and iou(own.box, box) > 0


def _face(one: Truth) -> Face:
    x1, y1, x2, y2 = one.box
    return Face(np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32), one.visible)


def _record(scene: PeopleScene, folder: Path) -> Path:
    clip, session = folder / "scene.mp4", folder / "session"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "qp": "14"})
        stream.pix_fmt = "yuv420p"
        stream.height, stream.width = scene.background.shape[:2]
        for number in range(scene.frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene.draw(number)[0], format="bgr24")))
        container.mux(stream.encode(None))
    words = ["--people", "4", "--blur-face", "others", "--record", "--session", str(session)]
    if program(["run", "--source", str(clip), "--speed", "max", "--headless", "--quiet", *words]) != 0:
        raise DeviceError("The program failed on the composed scene; see above.")
    return session


def _pictures(video: Path) -> Iterator[tuple[int, U8]]:
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            assert frame.time is not None
            yield round(frame.time * FPS), np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def main(words: Sequence[str] | None = None) -> int:
    """Print the counts; 1 where a bystander was open."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.evaluate blur-others",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scenes", type=int, default=5, help="scenes, kinds in turn (default 5)")
    parser.add_argument("--frames", type=int, default=300, help="of a scene (default 300)")
    parser.add_argument("--seed", type=int, default=1, help="of the scenes (default 1)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the pictures with a bystander's open face here")
    parser.add_argument("--json", type=Path, help="also write the counts there")
    options = parser.parse_args(words)
    shared = Path(os.environ.get("FACEMIRROR_SHARED", "../shared"))
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    try:
        with tempfile.TemporaryDirectory() as folder:
            models = shared / "models"
            judges: list[Judge] = [BlazeFace(models / "mediapipe_face_landmarker/converted/face_detector.onnx")]
            judges.append(upstream_retinaface(models / "retinaface_mnet025/mobilenet0.25_Final.pth", Path(folder)))
            portraits = collage_portraits(shared / "faces" / "sfhq")
            for scene in islice(people_scenes(portraits, options.seed, frames=options.frames), options.scenes):
                found = evaluate(scene, judges, keep=options.keep)
                counts.update(found)
                print(json.dumps({scene.kind: dict(found)}), file=sys.stderr, flush=True)
    except FacemirrorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for name, value in counts.items():
        print(f"{name:45} {value}")
    if options.json:
        options.json.write_text(json.dumps(counts, indent=2), encoding="utf-8")
    return int(counts["open bystanders"] + counts["open bystanders that a detector sees"] > 0)


if __name__ == "__main__":
    sys.exit(main())
