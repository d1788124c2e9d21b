"""Search of a still picture for faces, also for those that fill it.

A detector learnt faces with something around them. Of a face that reaches from edge to edge it boxes parts, and landmarks that begin there
come to lie beside it. A border around the picture gives such a face its surroundings.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from realtime.analyze.results import Face
from realtime.face.locator import SURE
from realtime.types import F32, U8, Detection, Frame

if TYPE_CHECKING:
    from realtime.face.detector import FaceDetector

_LARGE = 0.35
"""Share of the picture's shorter side from which a face is searched for once more with a border around the picture."""
_BORDER = 0.5
"""The border's width, in the picture's shorter sides: no face is larger."""
_SEEN = 1280
"""Pixels of the longer side to which a larger picture is reduced before: what is searched for is large."""
_INSIDE = 0.9
"""Share of a face inside another's box from which it may be a part of that one; it is one unless the landmark network is sure of it."""


def searches(detector: "FaceDetector", image: U8, least: float) -> Iterator[list[Detection]]:
    """Places that may be faces, the surest first: once, and once more for whoever finds no face there.

    Args:
        detector: of faces.
        image: (H, W, 3) BGR, read-only.
        least: score from which on a detection counts.

    Yields:
        Those of the picture as it is. Where it shows a large face, or none: those with a border around it, and the small ones; then
        the large ones of the picture as it is, as a border can hide a face that lies on its side.
    """
    found = [face for face in detector.detect(Frame(image, 0, 0.0)).faces if face.score >= least]
    limit = _LARGE * min(image.shape[:2])
    small = [face for face in found if _span(face) < limit]
    if found and len(small) == len(found):
        yield found
        return
    yield sorted([*small, *_with_border(detector, image, least)], key=lambda face: face.score, reverse=True)
    yield [face for face in found if _span(face) >= limit]


def whole_faces(faces: Sequence[Face]) -> list[Face]:
    """Without those that are a part of another: nostrils and mouth look like a small face.

    Args:
        faces: that were measured.
    """
    return [
        face
        for face in faces
        if face.presence >= SURE
        or not any(other.presence > face.presence and _share_inside(face.box, other.box) > _INSIDE for other in faces)
    ]


def _share_inside(box: F32, other: F32) -> float:
    """Share of a box (x1, y1, x2, y2) that lies in another, 0..1."""
    width, height = np.clip(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0, None).tolist()
    return float(width * height / max(float(np.prod(box[2:] - box[:2])), 1e-6))


def _with_border(detector: "FaceDetector", image: U8, least: float) -> Iterator[Detection]:
    """What is found with a black border around the picture, in the picture's own pixels."""
    scale = min(1.0, _SEEN / max(image.shape[:2]))
    seen = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    border = round(_BORDER * min(seen.shape[:2]))
    wider = np.asarray(cv2.copyMakeBorder(seen, border, border, border, border, cv2.BORDER_CONSTANT), np.uint8)
    wider.flags.writeable = False
    for face in detector.detect(Frame(wider, 0, 0.0)).faces:
        if face.score >= least:
            back = (face.box - np.float32(border)) / np.float32(scale)
            yield Detection(back, face.score, (face.points - np.float32(border)) / np.float32(scale))


def _span(face: Detection) -> float:
    return float(max(face.box[2] - face.box[0], face.box[3] - face.box[1]))
