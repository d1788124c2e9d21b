"""Hard photographs as `FaceAnalyzer` looks at them: by the program's own locator, and by `FaceAnalyzer` itself, detector and all.

The locator sees the degraded crops of `tools.evaluate.landmark_looks`, beginning with the crop itself, so that these figures compare with
those of one look and of two. `FaceAnalyzer` sees the same crops, enlarged, inside a plain picture: how many of the faces it finds, and
how far its points are off on those.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.analyze.models import landmark_model
from realtime.analyze.still import CROPS, FaceAnalyzer
from realtime.face.locator import Locator
from realtime.face.pose import estimate_pose
from realtime.face.settings import FaceSettings
from realtime.models import Registry
from tools.data.crops import SIZE, Sample, Strength
from tools.data.landmark_batches import FaceSet
from tools.data.points98 import nme
from tools.evaluate.figures import Figure
from tools.evaluate.landmark_behaviour import PART
from tools.evaluate.landmark_looks import HARD, faces_in_view

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

YAWS = ((0, 15), (15, 30), (30, 45), (45, 90))
KINDS: Mapping[str, Strength] = {
    "nothing in front of the face": replace(HARD, occlude=0.0, paint=0.0),
    "the picture not spoiled": replace(HARD, spoil=0.0),
    "the crop not displaced": replace(HARD, hard_geometry=0.0),
}
"""What is left of the degradations of `HARD` where one of them is left out."""
ENLARGED, BORDER = 3, 112
"""A crop's pixels become so many, and have so many plain ones around them: a face that a detector can find."""
OTHER = 0.25
"""Eye distances from which a face that was found is another one than that which is there."""


@dataclass(frozen=True)
class Look:
    """What was found in one crop.

    Attributes:
        error: NME in percent.
        presence: 0..1, by the network.
        yaw: of the true points, degrees, to either side.
    """

    error: float
    presence: float
    yaw: float


def still_locator(weights: Path) -> Locator:
    """Looks as `FaceAnalyzer` does: a second time around the points of the first look, in three crops and their mirror images.

    Args:
        weights: folder of the shipped models.
    """
    registry = Registry(weights)
    opened = registry.open(registry.manifest.find("landmarks"))
    model = landmark_model(opened, mirror_average="some", crop_average=CROPS)
    return Locator(model, FaceSettings().tracker.second_look)


def look(locator: Locator, sample: Sample) -> Look:
    """One face by the locator.

    Args:
        locator: of `still_locator`.
        sample: a degraded crop.
    """
    true = (sample.points * SIZE - 0.5).astype(np.float32)
    found = locator.in_crop(np.ascontiguousarray(sample.crop), np.eye(2, 3))
    pose = estimate_pose(true)
    error = 100 * float(nme(found.landmarks.points, true))
    return Look(error, found.presence, float("nan") if pose is None else abs(pose.angles[0]))


def still_looks(weights: Path, faces: FaceSet, views: int = 2) -> list[Figure]:
    """The figures of faces in view, of those that count as faces, by turn of the head, and without each kind of degradation."""
    locator = still_locator(weights)
    least = FaceSettings().tracker.start_presence
    found = [look(locator, sample) for sample in faces_in_view(faces, HARD, views)]
    taken = [one for one in found if one.presence >= least]
    out = _figures("as FaceAnalyzer looks", found)
    out += _figures(f"as FaceAnalyzer looks, presence from {least:g} on, else it tells no face", taken)
    for low, high in YAWS:
        turned = [one for one in found if low <= one.yaw < high]
        out += _figures(f"as FaceAnalyzer looks, yaw {low} to {high} degrees", turned)
    for words, strength in KINDS.items():
        kind = [look(locator, sample) for sample in faces_in_view(faces, strength, 1)]
        out += _figures(f"as FaceAnalyzer looks, {words}", kind)
    return out


def _figures(name: str, found: Sequence[Look]) -> list[Figure]:
    errors = [one.error for one in found]
    if not errors:
        return []
    ways: Sequence[tuple[str, Callable[[Sequence[float]], float]]] = (
        ("mean", lambda values: float(np.mean(values))),
        ("median", lambda values: float(np.median(values))),
    )
    return [
        Figure(PART, f"photographs displaced and degraded, {name}: {which} NME", of(errors), "%", cases=len(errors))
        for which, of in ways
    ]


def scene(sample: Sample) -> tuple[U8, F32]:
    """A picture that shows the degraded crop, and its points (98, 2) there, pixels."""
    size = SIZE * ENLARGED
    large = cv2.resize(sample.crop, (size, size), interpolation=cv2.INTER_LINEAR)
    plain = [float(channel) for channel in sample.crop.mean(axis=(0, 1))]
    picture = cv2.copyMakeBorder(large, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_CONSTANT, value=plain)
    points = sample.points * SIZE * ENLARGED - 0.5 + BORDER
    return np.asarray(picture, np.uint8), points.astype(np.float32)


def analysed(weights: Path, faces: FaceSet) -> list[Figure]:
    """What `FaceAnalyzer` itself returns for such pictures."""
    errors: list[float] = []
    count = others = 0
    with FaceAnalyzer(weights=weights) as analyze:
        for sample in faces_in_view(faces, HARD, 1):
            picture, true = scene(sample)
            count += 1
            found = [float(nme(face.points, true)) for face in analyze(picture)]
            others += sum(error >= OTHER for error in found)
            errors += [100 * error for error in found if error < OTHER][:1]
    name = "photographs displaced and degraded, by FaceAnalyzer itself"
    return [
        Figure(PART, f"{name}: faces found", 100 * len(errors) / max(count, 1), "%", cases=count),
        Figure(
            PART,
            f"{name}: what it takes for a face besides",
            100 * others / max(count, 1),
            "% of pictures",
            cases=count,
        ),
        *_figures("by FaceAnalyzer itself, faces found", [Look(error, 1.0, 0.0) for error in errors]),
    ]
