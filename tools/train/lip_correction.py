"""Fits the correction of lips to the landmark network: `python -m tools.train.lip_correction --bank BANK --renders DIR`.

Rendered people (heads of the training half, not those of `tools.evaluate clinic`), each in every movement of an examination and at rest
before it, are looked at as an examination looks at faces. Ridge regression tells what the lips' points are off from where nose and
lips are seen, and `realtime/clinic/assets/lip_correction.json` is written. Once the pictures are there it takes two minutes;
it is to be done anew whenever the landmark network is trained anew. Printed is what is left of the error on every fifth person, by a
fit to the others.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from realtime.clinic.frontal import Frontal, eye_axes, seen_from_front
from realtime.clinic.lip_correction import LIPS, MOST, TOLD_FROM, LipCorrection, places_of
from realtime.clinic.scale import pupil_scale
from realtime.face.face_model import HEAD_3D
from realtime.face.landmarks import LandmarkModel
from realtime.face.pose import estimate_pose, facing_angles
from realtime.face.wflw import FLIP_ORDER
from realtime.files import write_atomically
from realtime.models import Registry
from realtime.types import F32, F64
from tools.evaluate.clinic import open_networks
from tools.evaluate.clinic_renders import Filmed, filmed
from tools.manifest import WEIGHTS
from tools.train.action_units.points import locate_near

FILE = WEIGHTS.parent / "realtime" / "clinic" / "assets" / "lip_correction.json"
SEED = 7
"""Draws the people; `tools.evaluate clinic` draws its own with 1."""
Sample = tuple[F64, F64]
"""Places of TOLD_FROM as the network gives them, and what LIPS are off (true minus found), flat."""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.train.lip_correction", description=__doc__)
    parser.add_argument("--bank", type=Path, required=True, help="folder of `python -m tools.synth.textures`")
    parser.add_argument("--renders", type=Path, required=True, help="the pictures are kept there, or taken from it")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--people", type=int, default=80)
    parser.add_argument("--ridge", type=float, default=0.01, help="square centimetres, for each sample")
    options = parser.parse_args()
    networks = open_networks(options.weights, mirror_average="every", crop_average=3, lips=False)
    assert networks.landmarks is not None
    films = filmed(options.bank, range(options.people), 1, SEED, options.renders, held_out=False)
    people = [list(samples(networks.landmarks, film)) for film in films]
    _print_errors(people, options.ridge)
    spec = Registry(options.weights).manifest.find("landmarks")
    write(fitted([one for each in people for one in each], options.ridge), spec.name, spec.sha256)


def samples(model: LandmarkModel, film: Filmed) -> Iterator[Sample]:
    """One sample of each moment, and one of its mirror image.

    Args:
        model: the landmark network, as an examination uses it.
        film: a person's moments.
    """
    found = [
        locate_near(model, next(iter(moment.pictures())), moment.near[0]).astype(np.float64) for moment in film.moments
    ]
    exact = [np.asarray(moment.exact * moment.mm, np.float64) for moment in film.moments]
    yield from _samples(found, exact, film.pupils_mm)
    yield from _samples([_mirrored(one) for one in found], [_mirrored(one) for one in exact], film.pupils_mm)


def _samples(found: Sequence[F64], exact: Sequence[F64], pupils_mm: float) -> Iterator[Sample]:
    """Of one person's moments: points in pixels, and exact points in millimetres."""
    faces = [_frontal(one) for one in found]
    # Millimetres of a centimetre of the mean head, as the program takes them: the median of all looks.
    size = float(np.median([pupil_scale(face, pupils_mm) * face.head_scale for face in faces]))
    for face, truth in zip(faces, exact, strict=True):
        yield _sample(face, Frontal(np.asarray(truth / size, np.float64) * (1.0, -1.0), 1.0))


def _mirrored(points: F64 | F32) -> F64:
    """The mirror image's points: sides change places."""
    return np.asarray(points[FLIP_ORDER] * (-1.0, 1.0), np.float64)


def _frontal(points: F64) -> Frontal:
    turned = estimate_pose(points.astype(np.float32), model=np.asarray(HEAD_3D))
    assert turned is not None
    face = seen_from_front(points, facing_angles(turned.angles))
    assert face is not None
    return face


def _sample(face: Frontal, truth: Frontal) -> Sample:
    seen, true = eye_axes(face.points), eye_axes(truth.points)
    assert seen is not None
    assert true is not None
    off = places_of(truth, true, LIPS) - places_of(face, seen, LIPS)
    return places_of(face, seen, TOLD_FROM).ravel(), off.ravel()


def fitted(every: Sequence[Sample], ridge: float) -> LipCorrection:
    """The regression.

    Args:
        every: samples.
        ridge: square centimetres, for each sample.
    """
    places, off = np.array([one for one, _ in every]), np.array([other for _, other in every])
    known = np.isfinite(places).all(axis=1) & np.isfinite(off).all(axis=1)
    places, off = places[known], off[known]
    mean, offset = places.mean(axis=0), off.mean(axis=0)
    away = np.clip(places - mean, -MOST, MOST)
    square = away.T @ away + ridge * len(away) * np.eye(away.shape[1])
    return LipCorrection(mean, np.linalg.solve(square, away.T @ (off - offset)), offset)


def left_over(correction: LipCorrection, every: Sequence[Sample]) -> F64:
    """(N, LIPS, 2) what is still off after the correction, centimetres of the mean head."""
    places, off = np.array([one for one, _ in every]), np.array([other for _, other in every])
    return np.asarray((off - correction.told(places)).reshape(len(every), -1, 2), np.float64)


def _print_errors(people: Sequence[Sequence[Sample]], ridge: float) -> None:
    before, after = [], []
    for fold in range(5):
        others = [one for i, each in enumerate(people) if i % 5 != fold for one in each]
        own = [one for i, each in enumerate(people) if i % 5 == fold for one in each]
        if not own or not others:
            continue
        before.append(np.array([off for _, off in own]).reshape(len(own), -1, 2))
        after.append(left_over(fitted(others, ridge), own))
    for point in (76, 79, 82, 85, 88, 90, 92, 94):
        was, left = (
            10 * np.sqrt(np.nanmean(np.concatenate(each)[:, LIPS.index(point)] ** 2, axis=0))
            for each in (before, after)
        )
        print(f"point {point}: off by {was[0]:.2f} across, {was[1]:.2f} up; left {left[0]:.2f}, {left[1]:.2f} mm (RMS)")


def write(correction: LipCorrection, network: str, sha256: str) -> None:
    """Write the table.

    Args:
        correction: the regression.
        network: name of the landmark network.
        sha256: of the file that it was fitted to.
    """
    table = {
        "network": network,
        "sha256": sha256,
        "mean": np.round(correction.mean, 4).tolist(),
        "offset": np.round(correction.offset, 4).tolist(),
        "weights": np.round(correction.weights, 4).tolist(),
    }
    with write_atomically(FILE) as file:
        file.write((json.dumps(table, separators=(",", ":")).replace("],", "],\n") + "\n").encode("ascii"))


if __name__ == "__main__":
    main()
