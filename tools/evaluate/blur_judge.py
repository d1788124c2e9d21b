"""Judges of a recording with hidden faces: is any face of the scene still to be recognised in it?

Two independent questions are asked of every recorded frame. Where the scene has a face, is the detail of that place in the
recording that of the scene? And wherever a detector that the program does not use sees a face in the recording, is that
place the scene's? Flat covers with drawn landmarks look like a face to a detector, but hold none: where each quarter of what
it saw is a few flat colours and thin strokes, there is no skin, and the detection is its false alarm (`is_flat_cover`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from realtime.render.palette import LEFT, RIGHT
from tools.evaluate.blur_scenes import Face

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

OPEN = 0.5
"""Correlation of detail from which a place shows what the scene shows."""
LEAST_DETAIL = 1.5
"""Standard deviation of detail (grey levels) below which there is nothing to recognise."""
LEAST_VISIBLE = 0.25
"""Share of a face's core inside the picture from which it counts: about half a face with an eye."""
_PATCH = 64
_OVERLAY = 90
_SAME = 40
"""Difference (of 255) up to which a recorded pixel is the scene's: compression, and a mild blur, change it by less."""
_LEAST_SAME = 0.4
_SCORE = 0.5
_FLAT = 0.7
"""Share of flat colours in each quarter of a cover. Measured: covers with landmarks 0.78 to 0.95; of faces composed as here, the
least flat quarter 0.58 at most (140 faces of 50 to 200 px, JPEG 70)."""
_COLOURS = 3
_SAME_COLOUR = 8
"""Difference (of 255) that compression leaves in one colour."""


def likeness(scene: U8, recorded: U8, corners: F32) -> float:
    """Correlation of the detail inside four corners (4, 2), -1..1; 0 where the scene has none to recognise.

    Detail is a band of frequencies that tells one face from another; broad light and shade, which a flat square may keep,
    do not count.
    """
    square = np.array([[0, 0], [_PATCH, 0], [_PATCH, _PATCH], [0, _PATCH]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), square)
    inside = cv2.warpPerspective(np.ones(scene.shape[:2], np.uint8), matrix, (_PATCH, _PATCH), flags=cv2.INTER_NEAREST)
    mask = cv2.erode(inside, np.ones((5, 5), np.uint8), borderValue=1) > 0
    mask &= ~_overlay(recorded, matrix)
    if mask.sum() < 0.1 * mask.size:
        return 0.0
    near = np.abs(_patch(scene, matrix).astype(int) - _patch(recorded, matrix)).max(axis=2) < _SAME
    if near[mask].mean() < _LEAST_SAME:
        return 0.0  # strokes of landmarks or letters on a flat square are like the face's lines, but not the face
    one, other = (_detail(picture, matrix)[mask] for picture in (scene, recorded))
    if one.std() < LEAST_DETAIL or other.std() < 1e-3:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _overlay(recorded: U8, matrix: F64) -> NDArray[np.bool_]:
    """Where landmarks are drawn: they lie on the face's own lines, so they are as like it as a portrait in five strokes is."""
    patch = cv2.warpPerspective(recorded, matrix, (_PATCH, _PATCH), flags=cv2.INTER_LINEAR).astype(int)
    drawn = np.zeros(patch.shape[:2], np.uint8)
    for colour in (LEFT, RIGHT):
        drawn |= (np.abs(patch - np.array(colour)).max(axis=2) < _OVERLAY).astype(np.uint8)
    return np.asarray(cv2.dilate(drawn, np.ones((7, 7), np.uint8)) > 0)


def _patch(picture: U8, matrix: F64) -> U8:
    size = (_PATCH, _PATCH)
    patch = cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(patch, np.uint8)


def _detail(picture: U8, matrix: F64) -> F32:
    patch = _patch(picture, matrix)
    grey = cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.0) - cv2.GaussianBlur(grey, (0, 0), 5.0), np.float32)


def open_faces(scene: U8, recorded: U8, faces: Sequence[Face]) -> list[Face]:
    """The scene's faces that can be recognised in the recorded frame."""
    return [face for face in faces if face.visible >= LEAST_VISIBLE and likeness(scene, recorded, face.corners) > OPEN]


class Detections(NamedTuple):
    """Places (4,) where a detector sees one of the scene's faces in a recorded frame.

    Attributes:
        open: the place shows what the scene shows.
        false_alarms: it does so only by strokes on flat colours (see `is_flat_cover`).
    """

    open: list[F32]
    false_alarms: list[F32]


def judge_detections(scene: U8, recorded: U8, faces: Sequence[Face], boxes: Sequence[F32]) -> Detections:
    """Tell open faces from a detector's false alarms.

    A box that meets none of the scene's faces is the detector's mistake (a dark rectangle of the furniture, mostly).
    """
    places = [np.concatenate([face.corners.min(axis=0), face.corners.max(axis=0)]) for face in faces]
    found = Detections([], [])
    for box in boxes:
        if not any((box[:2] < place[2:]).all() and (box[2:] > place[:2]).all() for place in places):
            continue
        x1, y1, x2, y2 = (float(v) for v in box)
        corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)
        if likeness(scene, recorded, corners) > OPEN:
            (found.false_alarms if is_flat_cover(recorded, box) else found.open).append(box)
    return found


def is_flat_cover(recorded: U8, box: F32) -> bool:
    """Is each quarter of the box nothing but a few flat colours and thin strokes?

    This says nothing of the scene, and nothing of the strokes: skin, hair and eyes have many colours, however lit, and a
    face of which one quarter is open is told from a cover by that quarter.

    Args:
        recorded: (H, W, 3) BGR.
        box: (4,) pixels.
    """
    height, width = recorded.shape[:2]
    xs = np.linspace(max(0, box[0]), min(width, box[2]), 3).round().astype(int)
    ys = np.linspace(max(0, box[1]), min(height, box[3]), 3).round().astype(int)
    quarters = [recorded[ys[i] : ys[i + 1], xs[j] : xs[j + 1]] for i in (0, 1) for j in (0, 1)]
    return all(quarter.size > 0 and _flat_share(quarter) >= _FLAT for quarter in quarters)


def _flat_share(part: U8) -> float:
    """The share of pixels that have one of the few commonest colours."""
    rest = part.reshape(-1, 3).astype(int)
    count = len(rest)
    for _ in range(_COLOURS):
        if not len(rest):
            break
        bins = (rest // 16) @ np.array([256, 16, 1])
        values, counts = np.unique(bins, return_counts=True)
        colour = np.median(rest[bins == values[counts.argmax()]], axis=0)
        rest = rest[np.abs(rest - colour).max(axis=1) > _SAME_COLOUR]
    return 1 - len(rest) / count


class BlazeFace:
    """MediaPipe's short-range face detector, on squares of two sizes that overlap by a third."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        rows = []
        for side, count in ((16, 2), (8, 6)):
            ys, xs = np.mgrid[0:side, 0:side]
            centres = np.stack([(xs + 0.5) / side, (ys + 0.5) / side], -1)
            rows.append(np.repeat(centres.reshape(-1, 2), count, axis=0))
        self._anchors = np.concatenate(rows).astype(np.float32)

    def __call__(self, picture: U8) -> list[F32]:
        """(4,) boxes of every face seen, in pixels; one face may be given more than once."""
        height, width = picture.shape[:2]
        found = []
        for side in (min(height, width), round(0.6 * min(height, width))):
            for y in _starts(height, side):
                for x in _starts(width, side):
                    found += self._square(picture[y : y + side, x : x + side], x, y, side)
        return found

    def _square(self, part: U8, x: int, y: int, side: int) -> list[F32]:
        small = cv2.resize(part, (128, 128), interpolation=cv2.INTER_AREA)
        blob = (cv2.cvtColor(small, cv2.COLOR_BGR2RGB).astype(np.float32) / 127.5 - 1.0)[None]
        places, scores = self._session.run(["regressors", "classificators"], {"input": blob})
        likely = np.flatnonzero(scores[0, :, 0] > np.log(_SCORE / (1 - _SCORE)))
        boxes = []
        for i in likely[np.argsort(-scores[0, likely, 0])][:8]:
            cx, cy, w, h = places[0, i, :4] / 128
            cx, cy = cx + self._anchors[i, 0], cy + self._anchors[i, 1]
            box = np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], np.float32) * side
            boxes.append(box + np.array([x, y, x, y], np.float32))
        return boxes


def _starts(length: int, side: int) -> list[int]:
    steps = max(1, int(np.ceil((length - side) / (0.7 * side))) + 1)
    return [round(v) for v in np.linspace(0, length - side, steps)]


def upstream_retinaface(checkpoint: Path, folder: Path) -> Callable[[U8], list[F32]]:
    """The public RetinaFace (another network than the program's own) at 640 pixels. folder: for the exported file."""
    # Imported here: it needs torch.
    from tools.evaluate.detector_network import Detector
    from tools.networks import retinaface, retinaface_onnx

    exported = folder / "upstream.onnx"
    retinaface_onnx.export(retinaface.load(checkpoint), exported, source=checkpoint.name, licence="MIT")
    detector = Detector(exported)

    def detect(picture: U8) -> list[F32]:
        scale = 640 / max(picture.shape[:2])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return [box / np.float32(scale) for box in detector(np.asarray(small, np.uint8), _SCORE).boxes]

    return detect
