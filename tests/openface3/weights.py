"""A folder such as `models pull openface3` leaves behind, with networks of a few kilobytes instead of the real ones.

STAR's stand-in always sees a mean face that fills the crop as STAR's does; the multi-task one answers by the mean colour.
"""

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.face.alignment import canonical
from realtime.face.matching import face_box, middle
from realtime.models.registry import weights_folder
from tests.models.tiny_onnx import from_mean_colour
from tools.export import openface3 as convert

F32 = NDArray[np.float32]
LOGITS = np.array([[0, 2, 0, 0, 0, 0, 0, 0]], np.float32)
GAZE = np.array([[0.1, -0.2]], np.float32)
UNITS = np.array([[0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75]], np.float32)


def mean_face() -> F32:
    """(98, 2) in -1..1 of STAR's crop, so that the crop around these points is the crop they were found in."""
    points = canonical(112)
    box = face_box(points)
    pixels = (points - middle(box)) / (box[2] - box[0]) * (256 / 1.05) + 127.5
    return np.asarray((pixels + 0.5) / 128 - 1, np.float32)


def installed(folder: Path) -> Path:
    """Write the networks and their manifest; two tiers of landmarks, of which the lighter one looks 0.01 further right."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(weights_folder() / "retinaface.onnx", folder / "retinaface.onnx")
    still = np.zeros((3, 196), np.float32)
    for stacks, shift in ((4, 0.0), (1, 0.01)):
        points = mean_face() + np.array([shift, 0], np.float32)
        content = from_mean_colour(256, {"landmarks": (still, points.reshape(1, 196))})
        (folder / f"star{stacks}.onnx").write_bytes(content)
    heads = {name: (np.zeros((3, bias.size), np.float32), bias) for name, bias in (("emotion", LOGITS), ("gaze", GAZE))}
    heads["au"] = (np.full((3, 8), 0.01, np.float32), UNITS)
    (folder / "multitask.onnx").write_bytes(from_mean_colour(224, heads))
    entries = [
        convert.detector_entry(folder / "retinaface.onnx"),
        convert.landmark_entry(folder / "star4.onnx", 0, "stand-in"),
        convert.landmark_entry(folder / "star1.onnx", 1, "stand-in"),
        convert.multitask_entry(folder / "multitask.onnx", "stand-in"),
    ]
    (folder / "manifest.toml").write_text("\n".join(entries), encoding="utf-8")
    return folder
