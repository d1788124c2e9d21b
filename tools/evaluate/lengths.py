"""`python -m tools.evaluate lengths --bank BANK --eyes EYES.npz`: the iris as a ruler, and lengths of turned heads.

The iris network on rendered eyes of people kept for tests (`tools.data.irises --held`) and on the hand-placed irises of real people
that it was not taught with (FACEMIRROR_SHARED/faces/london_ccby); by colour and by size in pixels. Lengths of rendered heads of which
every point is known exactly: how much a turn of the head changes them, with the correction and without.
"""

import argparse
import csv
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.analyze import FaceAnalyzer
from realtime.clinic import ScaleChoice
from realtime.clinic.frontal import seen_from_front
from realtime.clinic.lengths import lengths_of
from realtime.clinic.measures import sides_of
from realtime.clinic.meter import MOST_SPREAD
from realtime.clinic.scale import Scale
from realtime.errors import FacemirrorError, UserInputError
from realtime.face.face_model import HEAD_3D
from realtime.face.iris import EYE, TYPICAL, WINDOW
from realtime.face.pose import estimate_pose, facing_angles
from realtime.models import Registry
from realtime.types import F32, F64, U8, Millimetres
from tools.data.london import IRIS_MM, for_training, iris_diameter, read_template
from tools.data.london_irises import portrait_eyes
from tools.evaluate.figures import Figure, finish
from tools.synth.camera import Camera, project, to_camera
from tools.synth.camera import rotation as head_rotation
from tools.synth.expressions import random_expression
from tools.synth.heads import bank_files, load_head
from tools.synth.kit import load_kit
from tools.synth.points import place, point_model
from tools.synth.raster import vertex_normals

PART = "lengths"
MEASURES = ("brow_height", "fissure_height", "mrd1", "commissure", "corner_height", "lower_lip_height", "dental_show")
TURNS = ((0, 5), (5, 10), (10, 15), (15, 20), (20, 25), (25, 30))
_DISTANCE = 70.0
"""Of the camera, centimetres."""
_FOCAL = 1100.0


def main(arguments: Sequence[str]) -> int:
    """Command line; the exit code is 1 where an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m tools.evaluate lengths", description=__doc__)
    parser.add_argument("--bank", type=Path, required=True, help="folder of `python -m tools.synth.textures`")
    parser.add_argument("--eyes", type=Path, required=True, help="file of `python -m tools.data.irises --held`")
    parser.add_argument("--weights", type=Path, default=Path(__file__).resolve().parents[2] / "weights")
    parser.add_argument("--heads", type=int, default=60)
    parser.add_argument("--json", type=Path, help="also write the figures there")
    options = parser.parse_args(arguments)
    try:
        figures = iris_figures(options.weights, options.eyes) + turn_figures(options.bank, options.heads)
        figures += portrait_figures(options.weights)
    except FacemirrorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return finish(figures, options.json)


def iris_figures(weights: Path, eyes: Path) -> list[Figure]:
    """The iris network on rendered and on real eyes that it was not taught with."""
    registry = Registry(weights)
    session = registry.open(registry.manifest.find("iris"))

    def read(pictures: U8, share: float = 1.0) -> tuple[F64, F64]:
        """Diameters and claimed errors (N,) of windows (N, 80, 112, 3), shown at a share of their resolution."""
        seen = np.stack([_coarser(picture, share) for picture in pictures]).astype(np.float32)
        blob = np.ascontiguousarray((seen.transpose(0, 3, 1, 2) - 127.5) / 127.5, np.float32)
        answer = session.run(blob)["iris"].astype(np.float64)
        return TYPICAL * EYE * np.exp(answer[:, 2]), np.exp(answer[:, 3])

    with np.load(eyes) as rendered:
        pictures, truth, colour = rendered["picture"], rendered["diameter"], rendered["iris"]
    found, spread = read(pictures)
    sure, error = spread <= MOST_SPREAD, found / truth - 1
    out = [
        Figure(PART, "rendered eyes: share that counts", 100 * float(sure.mean()), "%", cases=len(error)),
        _absolute("rendered eyes: diameter, mean absolute error", error[sure], 3.0),
        _mean("rendered eyes: diameter, mean error", error[sure]),
        *_by_colour("rendered eyes", error[sure], colour[sure]),
    ]
    shared = _portraits()
    if not shared.is_dir():
        print(f"{shared} is not there: no figures of real people", file=sys.stderr)
        return out
    kept = [eye for eye in portrait_eyes(shared, _groups(shared)) if not eye.training]
    pictures = np.stack([eye.window.picture for eye in kept])
    truth = np.array([eye.window.diameter for eye in kept])
    colour = np.array([eye.window.iris for eye in kept])
    for share in (1.0, 0.5, 0.35, 0.25, 0.2):
        error = read(pictures, share)[0] / truth - 1
        pixels = f"{share * truth.mean():.0f} pixels"
        aim = 3.0 if share >= 0.35 else None
        out.append(_absolute(f"real people, iris of {pixels}: one eye, mean absolute error", error, aim))
        both = error.reshape(-1, 2).mean(axis=1)
        out.append(_absolute(f"real people, iris of {pixels}: both eyes, mean absolute error", both))
        out.append(_mean(f"real people, iris of {pixels}: mean error", error))
    error = read(pictures)[0] / truth - 1
    out += _by_colour("real people", error, colour)
    for group in sorted({eye.ethnicity for eye in kept}):
        chosen = np.array([eye.ethnicity == group for eye in kept])
        out.append(_mean(f"real people, {group or 'group not given'}: mean error", error[chosen]))
    return out


def portrait_figures(weights: Path) -> list[Figure]:
    """The whole way on real people no network was taught with: scale and lid gap against hand-placed irises and lids."""
    folder = _portraits()
    if not folder.is_dir():
        return []
    scales, gaps, places = [], [], []
    with FaceAnalyzer(weights=weights, millimetres=ScaleChoice("iris")) as analyze:
        for kind in ("neutral", "canada"):
            for path in sorted((folder / kind).glob("*.tem")):
                if for_training(f"{'canada' if kind == 'canada' else 'london'}/{path.stem}"):
                    continue
                picture = cv2.imread(str(path.with_suffix(".jpg")))
                faces = analyze(np.ascontiguousarray(picture, np.uint8)) if picture is not None else ()
                if not faces or faces[0].millimetres is None or faces[0].millimetres.withheld:
                    continue
                found, hand = faces[0].millimetres, read_template(path)
                true_scale = IRIS_MM / iris_diameter(hand)
                scales.append(found.mm_per_pixel / true_scale - 1)
                for side, (upper, lower) in (("right", (20, 29)), ("left", (25, 32))):
                    height = float(np.hypot(*(hand[upper] - hand[lower]))) * true_scale
                    gaps.append(getattr(found.fissure_height, side) - height)
                places.append(float(np.hypot(*(hand[0] - hand[1]))) * true_scale)
    gap = np.array(gaps)
    return [
        _absolute("real people, the whole way: scale, mean absolute error", np.array(scales), 3.0),
        _mean("real people, the whole way: scale, mean error", np.array(scales)),
        Figure(
            PART, "real people: lid gap against hand-placed lids, mean error", float(gap.mean()), "mm", cases=len(gap)
        ),
        Figure(PART, "real people: the same, mean absolute error", float(np.abs(gap).mean()), "mm", cases=len(gap)),
        Figure(PART, "real people: the same, spread", float(gap.std()), "mm", cases=len(gap)),
        Figure(
            PART, "real people: pupil distance by the hand-placed iris", float(np.mean(places)), "mm", cases=len(places)
        ),
    ]


def _portraits() -> Path:
    return Path(os.environ.get("FACEMIRROR_SHARED", "../shared")) / "faces/london_ccby"


def _coarser(picture: U8, share: float) -> U8:
    if share == 1.0:
        return picture
    size = (round(WINDOW[0] * share), round(WINDOW[1] * share))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, WINDOW, interpolation=cv2.INTER_LINEAR), np.uint8)


def _by_colour(who: str, error: F64, colour: F32) -> list[Figure]:
    """Mean error of dark brown, brown and light irises against the mean of all."""
    light = colour @ np.array([0.114, 0.587, 0.299])
    low, high = np.quantile(light, (1 / 3, 2 / 3))
    parts = {"dark": light <= low, "medium": (light > low) & (light <= high), "light": light > high}
    return [
        Figure(
            PART,
            f"{who}: {name} irises against all, mean",
            100 * float(error[chosen].mean() - error.mean()),
            "%",
            at_most=1.0,
            at_least=-1.0,
            cases=int(chosen.sum()),
        )
        for name, chosen in parts.items()
    ]


def _groups(folder: Path) -> dict[str, str]:
    """Ethnicity by person, as far as info.csv tells."""
    with (folder / "info.csv").open(encoding="utf-8", newline="") as file:
        return {f"london/{row['face_id']}": row["face_eth"] for row in csv.DictReader(file)}


def _absolute(name: str, error: F64, at_most: float | None = None) -> Figure:
    return Figure(PART, name, 100 * float(np.abs(error).mean()), "%", at_most=at_most, cases=len(error))


def _mean(name: str, error: F64) -> Figure:
    return Figure(PART, name, 100 * float(error.mean()), "%", cases=len(error))


def turn_figures(bank: Path, heads: int) -> list[Figure]:
    """How lengths of one and the same face change when its head turns: mean and spread of the change, by the turn."""
    files, kit, model = bank_files(bank, True), load_kit(), point_model(load_kit())
    if not files:
        raise UserInputError(f"{bank} holds no heads kept for tests.")
    rng = np.random.default_rng(4)
    rows: list[tuple[float, float, NDArray[np.float64], NDArray[np.float64]]] = []
    for _ in range(heads):
        head = load_head(files[int(rng.integers(len(files)))])
        vertices = kit.shape(head.identity, random_expression(rng))

        def seen(yaw: float, pitch: float, vertices: F32 = vertices, brows: object = head.brows) -> F32:
            matrix = head_rotation(yaw, pitch, float(rng.normal(0, 4)))
            camera = to_camera(vertices, matrix, np.array([0.0, 0.0, _DISTANCE + 8]))
            screen = project(camera, Camera(_FOCAL, (639.5, 359.5)))
            return place(model, camera, vertex_normals(camera, kit.triangles), screen, brows)  # type: ignore[arg-type]

        facing = seen(0.0, 0.0)
        straight = {way: _measured(facing, corrected=way) for way in (True, False)}
        for axis in (0, 1):
            for low, high in TURNS:
                turn = float(rng.uniform(low, high) * rng.choice((-1, 1)))
                yaw, pitch = (turn, float(rng.normal(0, 2))) if axis == 0 else (float(rng.normal(0, 2)), turn)
                points = seen(yaw, pitch)
                better, plain = (_measured(points, corrected=way) - straight[way] for way in (True, False))
                rows.append((axis, abs(turn), better, plain))
    out = []
    for axis, word in ((0, "turned"), (1, "raised or lowered")):
        for low, high in TURNS:
            chosen = [row for row in rows if row[0] == axis and low <= row[1] < high]
            for number, name in enumerate(MEASURES):
                for kind, column in (("corrected", 2), ("as seen", 3)):
                    change = np.concatenate([row[column][2 * number : 2 * number + 2] for row in chosen])  # type: ignore[index]
                    change = change[np.isfinite(change)]
                    title = f"head {word} by {low} to {high} degrees: {name}, {kind}, root mean square change"
                    value = float(np.sqrt((change**2).mean()))
                    out.append(Figure(PART, title, value, "mm", cases=len(change)))
    return out


def _measured(points: F32, *, corrected: bool) -> NDArray[np.float64]:
    """(2 x MEASURES,) left and right in millimetres; the scale is the true one at the eyes."""
    pose = estimate_pose(points, model=HEAD_3D)
    values = np.full(2 * len(MEASURES), np.nan)
    if pose is None:
        return values
    angles = facing_angles(pose.angles) if corrected else (0.0, 0.0, pose.roll)
    face = seen_from_front(points, angles)
    if face is None:
        return values
    found: Millimetres = lengths_of(face, Scale(10 * _DISTANCE / _FOCAL, "ruler"))
    return np.array([side for name in MEASURES for side in sides_of(found, name)])
