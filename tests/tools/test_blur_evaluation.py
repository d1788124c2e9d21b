"""`--blur-face` through the whole program, on composed scenes of the demo's head: no face is open, and the judge would see it."""

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime.media.demux_options import demo_clip
from realtime.render.palette import LEFT, NEUTRAL, RIGHT
from tools.evaluate import blur
from tools.evaluate.blur_judge import is_flat_cover, judge_detections, open_faces
from tools.evaluate.blur_others import judge_frame, patient_of
from tools.evaluate.blur_scenes import Portrait, Scene, portrait, scene
from tools.evaluate.people_scenes import Truth

HEIGHT, WIDTH, FRAMES = 360, 640, 16
KINDS_HERE = ("moving", "entering", "leaving", "crossing", "fast", "cut")


@pytest.fixture(scope="module")
def portraits() -> list[Portrait]:
    """The demo's head at four moments, two of them tinted and two mirrored, eyes where a portrait has them."""
    found: list[Portrait] = []
    with av.open(str(demo_clip())) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 60:
                continue
            picture = frame.to_ndarray(format="bgr24")
            width = picture.shape[1]
            unit = width / 640
            x, y, half = 304 * unit, 236 * unit, 118 * unit
            head = picture[round(y - half) : round(y + half), round(x - half) : round(x + half)]
            if len(found) % 2:
                head = cv2.flip(head, 1)
            if len(found) > 1:
                head = cv2.convertScaleAbs(head, alpha=0.8, beta=30)
            found.append(portrait(np.asarray(head, np.uint8)))
            if len(found) == 4:
                break
    return found


def some_scenes(portraits: Sequence[Portrait], kinds: Sequence[str]) -> list[Scene]:
    rng = np.random.default_rng(3)
    return [scene(kind, portraits, rng, HEIGHT, WIDTH, FRAMES) for kind in kinds]


def test_the_judge_sees_an_open_face_and_no_hidden_one(portraits: list[Portrait]) -> None:
    """A mean over blocks of a quarter of the face, and a flat square, hide it; a mild Gaussian does not."""
    still = some_scenes(portraits, ["still"])[0]
    picture, faces = still.draw(3), still.faces(3)
    assert faces
    assert len(open_faces(picture, picture, faces)) == len(faces)
    compressed = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR)
    assert compressed is not None
    assert len(open_faces(picture, compressed, faces)) == len(faces)
    assert len(open_faces(picture, cv2.GaussianBlur(picture, (0, 0), 1.5), faces)) == len(faces)
    flat = picture.copy()
    for face in faces:
        cv2.fillConvexPoly(flat, face.corners.astype(np.int32), (120, 130, 140))
    assert not open_faces(picture, flat, faces)
    boxes = [np.concatenate([face.corners.min(axis=0), face.corners.max(axis=0)]) for face in faces]
    assert len(judge_detections(picture, picture, faces, boxes).open) == len(faces)
    assert judge_detections(picture, flat, faces, boxes) == ([], [])
    elsewhere = np.array([0, 0, 30, 30], np.float32)
    nothing = judge_detections(picture, picture, faces, [elsewhere])
    assert nothing == ([], []), "what meets no face is the detector's mistake"


def test_a_drawing_on_a_flat_cover_is_a_false_alarm_and_a_face_with_an_open_quarter_is_not(
    portraits: list[Portrait],
) -> None:
    still = some_scenes(portraits, ["still"])[0]
    picture = still.draw(3)
    face = max(still.faces(3), key=lambda one: float(np.ptp(one.corners)))
    box = np.concatenate([face.corners.min(axis=0), face.corners.max(axis=0)])
    x1, y1, x2, y2 = (int(v) for v in box)
    covered = picture.copy()
    covered[y1:y2, x1:x2] = (120, 130, 140)
    covered[y1 : (y1 + y2) // 2, x1:x2] = (100, 130, 150)  # the edge of two covers
    strokes = [(0.3, 0.35, RIGHT), (0.7, 0.35, LEFT), (0.5, 0.55, NEUTRAL), (0.4, 0.8, RIGHT), (0.6, 0.8, LEFT)]
    for x, y, colour in strokes:
        at = (round(x1 + x * (x2 - x1)), round(y1 + y * (y2 - y1)))
        cv2.ellipse(covered, at, ((x2 - x1) // 9, (y2 - y1) // 16), 0, 0, 360, colour, 1, cv2.LINE_AA)
    jpeg = cv2.imdecode(cv2.imencode(".jpg", covered, [cv2.IMWRITE_JPEG_QUALITY, 90])[1], cv2.IMREAD_COLOR)
    assert is_flat_cover(np.asarray(jpeg, np.uint8), box)
    assert not is_flat_cover(picture, box)
    assert not is_flat_cover(cv2.GaussianBlur(picture, (0, 0), 1.5), box)
    opened = covered.copy()
    opened[y1 : (y1 + y2) // 2, x1 : (x1 + x2) // 2] = picture[y1 : (y1 + y2) // 2, x1 : (x1 + x2) // 2]
    assert not is_flat_cover(opened, box)


@pytest.mark.timeout(240)
def test_no_face_is_open_in_what_is_recorded(portraits: list[Portrait], tmp_path: Path) -> None:
    chosen = some_scenes(portraits, KINDS_HERE)
    counts = blur.evaluate(iter(chosen), FRAMES * len(chosen), [], keep=tmp_path, frames_per_scene=FRAMES)
    assert counts["frames"] == FRAMES * len(chosen)
    assert counts["faces"] > 150
    assert counts["open faces"] == 0, sorted(path.name for path in tmp_path.iterdir())
    # It is no proof to hide everything: most frames show the room.
    assert counts["frames hidden as a whole"] < 0.5 * counts["frames"]


def test_the_judge_of_others_lets_the_patient_be_seen_and_nobody_else(portraits: list[Portrait]) -> None:
    crowd = max(some_scenes(portraits, ["still"] * 6), key=lambda one: sum(f.visible >= 0.9 for f in one.faces(0)))
    picture, faces = crowd.draw(0), crowd.faces(0)
    truths = [
        Truth(actor, np.concatenate([face.corners.min(axis=0), face.corners.max(axis=0)]), face.visible, alive=True)
        for actor, face in enumerate(faces)
        if face.visible >= 0.9
    ]
    assert len(truths) >= 2
    patient = truths[0]

    def judge(_picture: np.ndarray) -> list[np.ndarray]:
        return [one.box for one in truths]

    clear = judge_frame(picture, picture, truths, patient.actor, [judge])
    assert clear["open bystanders"] == clear["open bystanders that a detector sees"] == len(truths) - 1
    assert clear["frames with the patient in clear"] == 1
    nobody = judge_frame(picture, picture, truths, None, [judge])
    assert nobody["open bystanders"] == len(truths), "where nobody is the patient, everybody is a bystander"
    hidden = picture.copy()
    for one in truths[1:]:
        x0, y0, x1, y1 = (int(edge) for edge in one.box)
        hidden[max(0, y0 - 20) : y1 + 20, max(0, x0 - 20) : x1 + 20] = 128
    covered = judge_frame(picture, hidden, truths, patient.actor, [judge])
    assert (covered["open bystanders"], covered["open bystanders that a detector sees"]) == (0, 0)
    assert covered["frames with the patient in clear"] == 1


def test_the_patient_is_who_was_it_on_most_frames() -> None:
    boxes = {0: (0.0, 0.0, 50.0, 50.0), 1: (100.0, 0.0, 150.0, 50.0)}
    truths = [Truth(actor, np.array(box, np.float32), 1.0, alive=True) for actor, box in boxes.items()]

    def row(number: int, actor: int | None) -> dict[str, str]:
        edges = zip(("box_x1", "box_y1", "box_x2", "box_y2"), boxes[actor or 0], strict=True)
        return {
            "sequence": str(number),
            "person": "" if actor is None else "patient",
            **{name: str(edge) for name, edge in edges},
        }

    rows = [row(0, None), row(10, 1), row(20, 1), row(30, 0)]
    assert patient_of(iter(rows), lambda _number: truths) == 1
    assert patient_of(iter(rows[:1]), lambda _number: truths) is None
