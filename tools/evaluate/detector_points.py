"""How true the detector's eye centres are: against labels that no detector made, and how far the official one is from itself.

The official network's own points move by several percent of the eye distance when the picture moves by a few pixels. Its points are
therefore no measure finer than that; the labels of `tools.data.labels` (four landmark networks averaged over many views) are.
"""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.points98 import five_points
from tools.evaluate.detector_agreement import SAME_IOU, eye_error
from tools.evaluate.detector_looks import CONTINUE, LEAST_HEIGHT, OFFICIAL
from tools.evaluate.detector_network import Detector, Faces
from tools.evaluate.detector_pictures import Window
from tools.train.detector.sources import held_out
from tools.train.detector.targets import overlaps

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

WIDTHS = (384, 192)
"""Longest sides of the crops; a face is about a third of that high."""
SHIFT = (3, 2)
"""By how many pixels, across and down, a picture is moved to hold a detector against itself."""


def of_labelled_faces(detectors: Mapping[str, Detector], faces: Path, every: int = 1) -> dict[str, dict[str, float]]:
    """Eye-centre errors over the labelled eye distance, on collages that the detector's training held out.

    faces: the folder with index.npz of `tools.data.labels`. every: look at every n-th face.
    """
    index = np.load(faces / "index.npz")
    rows = [i for i in np.flatnonzero(index["usable"]) if held_out(str(index["collage"][i]).split("/")[-1])][::every]
    names, boxes, points = index["name"][rows], index["box"][rows], index["points"][rows]
    errors: dict[tuple[int, str], list[float]] = {(width, name): [] for width in WIDTHS for name in detectors}
    heights: dict[int, list[float]] = {width: [] for width in WIDTHS}
    for file, box, label in zip(names, boxes, points, strict=True):
        picture = np.asarray(cv2.imread(str(faces / str(file))))
        for width in WIDTHS:
            scale = min(1.0, width / max(picture.shape[:2]))
            shown = _padded(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
            place = (box * scale).astype(np.float32)
            heights[width].append(float(place[3] - place[1]))
            for name, detect in detectors.items():
                found = _nearest(detect(shown).above(CONTINUE), place)
                if found is not None:
                    errors[width, name].append(eye_error(found, five_points(label * scale)))
    out: dict[str, dict[str, float]] = {}
    for width in WIDTHS:
        row: dict[str, float] = {"faces": len(rows), "height": float(np.median(heights[width]))}
        for name in detectors:
            values = errors[width, name]
            row |= {f"{name}_mean": float(np.mean(values)), f"{name}_median": float(np.median(values))}
        out[f"labelled faces, crops of {width} px"] = row
    return out


def of_itself(detector: Detector, shown: list[Window]) -> dict[str, float]:
    """The distance between a detector's eye centres on a picture and on the picture moved by SHIFT, in eye distances."""
    move = np.array([[1, 0, SHIFT[0]], [0, 1, SHIFT[1]]], np.float32)
    errors = []
    for window in shown:
        height, width = window.image.shape[:2]
        first = detector(window.image).above(OFFICIAL)
        second = detector(cv2.warpAffine(window.image, move, (width, height))).above(OFFICIAL)
        for box, points in zip(first.boxes, first.points, strict=True):
            if box[3] - box[1] < LEAST_HEIGHT:
                continue
            found = _nearest(second, box + np.array(SHIFT * 2, np.float32))
            if found is not None:
                errors.append(eye_error(found, points + np.array(SHIFT, np.float32)))
    return {
        "faces": len(errors),
        "eye_error_mean": float(np.mean(errors)),
        "eye_error_median": float(np.median(errors)),
    }


def _nearest(found: Faces, box: F32) -> F32 | None:
    """Points (5, 2) of the face that lies on `box` (4,); None where none does by half."""
    if not len(found.boxes):
        return None
    met = overlaps(found.boxes, box[None])[:, 0]
    best = int(met.argmax())
    return found.points[best] if met[best] >= SAME_IOU else None


def _padded(picture: U8, least: int = 160) -> U8:
    """On a grey canvas of at least that size: the networks want some room."""
    height, width = picture.shape[:2]
    canvas = np.full((max(height, least), max(width, least), 3), 90, np.uint8)
    canvas[:height, :width] = picture
    return canvas
