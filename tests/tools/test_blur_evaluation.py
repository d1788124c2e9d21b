"""`--blur-face` through the whole program, on composed scenes of the demo's head: no face is open, and the judge would see it."""

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime.media.demux_options import demo_clip
from tools.evaluate import blur
from tools.evaluate.blur_judge import open_detections, open_faces
from tools.evaluate.blur_scenes import Portrait, portrait, scene

HEIGHT, WIDTH, FRAMES = 360, 640, 16
KINDS_HERE = ("moving", "entering", "leaving", "crossing", "fast", "cut")


@pytest.fixture(scope="module")
def portraits() -> list[Portrait]:
    """The demo's head at four moments, two of them tinted and two mirrored, eyes where a portrait has them."""
    found = []
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


def some_scenes(portraits: Sequence[Portrait], kinds: Sequence[str]) -> list:
    rng = np.random.default_rng(3)
    return [scene(kind, portraits, rng, HEIGHT, WIDTH, FRAMES) for kind in kinds]


def test_the_judge_sees_an_open_face_and_no_hidden_one(portraits: list[Portrait]) -> None:
    """A mean over blocks of a quarter of the face, and a flat square, hide it; a mild Gaussian does not."""
    still = some_scenes(portraits, ["still"])[0]
    picture, faces = still.draw(3), still.faces(3)
    assert faces
    assert len(open_faces(picture, picture, faces)) == len(faces)
    compressed = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR)
    assert len(open_faces(picture, compressed, faces)) == len(faces)
    assert len(open_faces(picture, cv2.GaussianBlur(picture, (0, 0), 1.5), faces)) == len(faces)
    flat = picture.copy()
    for face in faces:
        cv2.fillConvexPoly(flat, face.corners.astype(np.int32), (120, 130, 140))
    assert not open_faces(picture, flat, faces)
    boxes = [np.concatenate([face.corners.min(axis=0), face.corners.max(axis=0)]) for face in faces]
    assert len(open_detections(picture, picture, faces, boxes)) == len(faces)
    assert not open_detections(picture, flat, faces, boxes)
    elsewhere = np.array([0, 0, 30, 30], np.float32)
    assert not open_detections(picture, picture, faces, [elsewhere]), "what meets no face is the detector's mistake"


@pytest.mark.timeout(240)
def test_no_face_is_open_in_what_is_recorded(portraits: list[Portrait], tmp_path: Path) -> None:
    chosen = some_scenes(portraits, KINDS_HERE)
    counts = blur.evaluate(iter(chosen), FRAMES * len(chosen), [], keep=tmp_path, frames_per_scene=FRAMES)
    assert counts["frames"] == FRAMES * len(chosen)
    assert counts["faces"] > 150
    assert counts["open faces"] == 0, sorted(path.name for path in tmp_path.iterdir())
    # It is no proof to hide everything: most frames show the room.
    assert counts["frames hidden as a whole"] < 0.5 * counts["frames"]
