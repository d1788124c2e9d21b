"""One training crop of the landmark network that holds a face: geometry, labels and presence."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.appearance import degrade, few_pixels, paint, relight
from tools.data.expressions import displacement_field, moved_points, random_features, random_movement
from tools.data.lid_lip_warps import close_eye, open_mouth
from tools.data.occluders import occlude, put_fingers
from tools.data.points98 import MIRROR, crop_matrix, flip_points, invert, square_from_points, transform
from tools.data.winks import Shut, draw_shut, random_eyes, squeezed

Floats = NDArray[np.floating[Any]]
U8 = NDArray[np.uint8]
Generator = np.random.Generator

SIZE = 112
BORDERS = (cv2.BORDER_CONSTANT, cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101)


@dataclass(frozen=True)
class Strength:
    """How often each mishap is tried; the defaults are for photographs. Rendered faces come bent and degraded already."""

    bend: float = 0.4
    features: float = 0.3
    tear: float = 0.36
    occlude: float = 0.36
    paint: float = 0.15
    hard_geometry: float = 0.3
    spoil: float = 0.85
    cut: float = 0.07
    wink: float = 0.0
    """Eyes shut one by one, gently or squeezed (`winks`)."""
    fingers: float = 0.0
    """Fingers over the mouth with lips between them."""
    few: float = 0.0
    """A face of 25 to 50 pixels, enlarged."""


@dataclass(frozen=True)
class Sample:
    """crop: (112, 112, 3) BGR. points: (98, 2) crop units. weight: (98,), 0 where a point must not teach. presence: 0..1.

    clear: the crop before anything was put in front of the face or degraded. mirrored: whether the picture was.
    """

    crop: U8
    points: Floats
    weight: Floats
    presence: float
    matrix: NDArray[np.float64]
    clear: U8
    mirrored: bool = False


def ramp(value: float, low: float, high: float) -> float:
    """0 at `low` and below, 1 at `high` and above, linear between (also where low > high)."""
    return float(np.clip((value - low) / (high - low), 0, 1))


def square_iou(shift: NDArray[np.float64], scale: float) -> float:
    """Overlap of the unit square with one of side `scale`, displaced by `shift`; rotation is left out."""
    inter = np.prod(np.clip(np.minimum(0.5, shift + scale / 2) - np.maximum(-0.5, shift - scale / 2), 0, None))
    return float(inter / (1 + scale**2 - inter))


def random_geometry(rng: Generator, hard: bool) -> tuple[NDArray[np.float64], float, float, NDArray[np.float64]]:
    """Shift (2,) in sides, scale, roll in radians, and a 2x2 distortion, as a tracker or a first detection makes them."""
    if hard:
        shift = rng.uniform(-0.18, 0.18, 2)
        scale = float(np.exp(rng.uniform(np.log(0.75), np.log(1.42))))
        roll = np.radians(rng.uniform(-40, 40) if rng.random() < 0.9 else rng.uniform(-62, 62))
    else:
        shift = rng.normal(0, 0.045, 2)
        scale = float(np.exp(rng.normal(0.02, 0.09)))
        roll = np.radians(rng.normal(0, 9))
    distortion = np.eye(2)
    if rng.random() < 0.35:
        distortion = np.array([[np.exp(rng.normal(0, 0.1)), rng.normal(0, 0.09)], [0, np.exp(rng.normal(0, 0.1))]])
    return shift, scale, float(roll), distortion


def sample_face(
    picture: U8,
    points: Floats,
    trust: Floats,
    rng: Generator,
    strength: Strength,
    other: U8 | None,
    mirror: bool | None = None,
) -> Sample:
    """A crop that holds the face, degraded at random.

    other: a crop of something else, used as an occluder's texture. mirror: whether the crop is mirrored; None: in half of all cases.
    """
    # The picture itself is never mirrored (that would copy it): the crop's matrix mirrors.
    mirror = bool(rng.random() < 0.5) if mirror is None else mirror
    if mirror:
        points, trust = flip_points(points, picture.shape[1]), trust[MIRROR]
    centre, side, roll = square_from_points(points)
    shift, scale, turn, distortion = random_geometry(rng, bool(rng.random() < strength.hard_geometry))
    c, s = np.cos(roll), np.sin(roll)
    centre = centre + np.array([[c, -s], [s, c]]) @ shift * side
    matrix = crop_matrix(centre, side * scale, roll + turn, SIZE)
    middle = (SIZE - 1) / 2
    matrix = np.column_stack([distortion @ matrix[:, :2], distortion @ (matrix[:, 2] - middle) + middle])
    seen: Floats = (transform(points, matrix) + 0.5) / SIZE
    if mirror:
        matrix = np.column_stack([-matrix[:, 0], matrix[:, 1], matrix[:, 2] + matrix[:, 0] * (picture.shape[1] - 1)])
    border = BORDERS[rng.integers(len(BORDERS))]
    move = np.zeros((98, 2), np.float32)
    if rng.random() < strength.bend:
        move += random_movement(seen, rng)
    if rng.random() < strength.features:
        move += random_features(seen, rng)
    eyes = random_eyes(rng) if strength.wink and rng.random() < strength.wink else []
    tear = not eyes and rng.random() < strength.tear
    if move.any() or tear or eyes:
        crop, seen = _bent(picture, matrix, seen, move, tear, border, rng, eyes)
    else:
        crop = cv2.warpAffine(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=border)
    inside = ((seen > 0.0) & (seen < 1.0)).all(1)
    at = np.clip((seen * SIZE).astype(int), 0, SIZE - 1)
    covered, clear = np.zeros(98, bool), np.asarray(crop)
    if rng.random() < strength.paint:
        crop = paint(crop, seen, rng)
    if rng.random() < strength.occlude:
        crop, hidden = occlude(crop, seen, rng, other, int(rng.integers(1, 4)))
        covered = hidden[at[:, 1], at[:, 0]] > 127
    if strength.fingers and rng.random() < strength.fingers:
        crop, hidden = put_fingers(np.asarray(crop), seen, rng)
        covered |= hidden[at[:, 1], at[:, 0]] > 127
    if rng.random() < strength.cut:
        crop, gone = _cut_off(crop, seen, rng)
        inside &= ~gone[at[:, 1], at[:, 0]]
    if rng.random() < strength.spoil:
        crop = relight(np.ascontiguousarray(crop), rng)
        if strength.few and rng.random() < strength.few:
            crop = few_pixels(crop, rng)
        crop = degrade(crop, rng)
    presence = (
        ramp(square_iou(shift, scale), 0.22, 0.42)
        * ramp(abs(float(np.degrees(turn))), 75, 52)
        * ramp(1 - float(np.where(inside, 0.6 * covered, 1.0).mean()), 0.42, 0.78)
    )
    # A hidden point still teaches (the rest of the face says where it must be), but less.
    lying_in = ((seen > 0.0) & (seen < 1.0)).all(1)
    weight = trust * lying_in * np.where(inside, np.where(covered, 0.6, 1.0), 0.3)
    return Sample(crop, seen.astype(np.float32), weight.astype(np.float32), presence, matrix, clear, mirror)


def _bent(
    picture: U8,
    matrix: NDArray[np.float64],
    seen: Floats,
    move: Floats,
    tear: bool,
    border: int,
    rng: Generator,
    eyes: list[Shut],
) -> tuple[U8, Floats]:
    """The crop and its points after the smooth movement, and after eyes closed and a mouth opened where `tear` says so.

    eyes: to be shut as they say, with what a squeeze moves.
    """
    gap = float(np.linalg.norm(seen[90] - seen[94]))
    back = invert(matrix)
    ticks = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
    at = np.stack(np.meshgrid(ticks, ticks), -1)
    if move.any() or eyes:
        places, squeeze = squeezed(seen, eyes)
        squeeze[:98] += move
        field = displacement_field(places, squeeze)
        at = at + cv2.resize(field, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
        seen = moved_points(seen, field)
    flat = at.reshape(-1, 2) * SIZE - 0.5
    maps = (flat @ back[:, :2].T.astype(np.float32) + back[:, 2].astype(np.float32)).reshape(SIZE, SIZE, 2)
    if tear:
        both = rng.random() < 0.5
        amount = float(rng.uniform(-0.25, 1.0) if rng.random() < 0.6 else rng.uniform(0.85, 1.0))
        if rng.random() < 0.75:
            for first in (60, 68):
                if both or rng.random() < 0.5:
                    seen = close_eye(maps, seen, first, amount if both else float(rng.uniform(-0.25, 1.0)))
        if rng.random() < 0.4:
            seen = open_mouth(maps, seen, float(rng.uniform(0.01, 0.16)))
    for eye in eyes:
        seen = close_eye(maps, seen, eye.first, eye.amount)
    crop = cv2.remap(picture, maps, None, cv2.INTER_LINEAR, borderMode=border)
    if eyes:
        crop = draw_shut(np.asarray(crop), seen, eyes, rng)
    gap_grew = float(np.linalg.norm(seen[90] - seen[94])) - gap > 0.02
    return (_dark_mouth(crop, seen, rng) if gap_grew else crop), seen


def _dark_mouth(crop: U8, points: Floats, rng: Generator) -> U8:
    """A mouth that was bent open shows dark inside, or teeth above dark, in most pictures."""
    if rng.random() < 0.25:
        return crop
    mask = np.zeros(crop.shape[:2], np.uint8)
    cv2.fillPoly(mask, [(points[88:96] * SIZE).astype(np.int32)], 255, cv2.LINE_AA)
    alpha = cv2.GaussianBlur(mask, (3, 3), 0)[..., None] / 255.0 * rng.uniform(0.5, 1)
    inside = np.full(crop.shape, (rng.uniform(5, 60), rng.uniform(5, 50), rng.uniform(15, 100)))
    out = crop + (inside - crop) * alpha
    if rng.random() < 0.5:
        teeth = np.zeros(crop.shape[:2], np.uint8)
        share = rng.uniform(0.2, 0.5)
        lower = points[[92, 91, 90, 89, 88]] * (1 - share) + points[[92, 93, 94, 95, 88]] * share
        cv2.fillPoly(teeth, [(np.concatenate([points[88:93], lower]) * SIZE).astype(np.int32)], 255, cv2.LINE_AA)
        out += (rng.uniform(120, 235) - out) * (teeth[..., None] / 255.0 * rng.uniform(0.5, 1))
    result: U8 = np.clip(out, 0, 255).astype(np.uint8)
    return result


def _cut_off(crop: U8, points: Floats, rng: Generator) -> tuple[U8, NDArray[np.bool_]]:
    """The picture ends inside the crop: one side, up to 80 % of the face, becomes black, one colour or the edge stretched."""
    turns = int(rng.integers(4))
    out = np.rot90(crop, turns).copy()
    # Where the face begins on the side that is cut, after turning the crop by quarter turns.
    low, high = (points.min(0), points.max(0))
    begin, end = [(low[1], high[1]), (1 - high[0], 1 - low[0]), (1 - high[1], 1 - low[1]), (low[0], high[0])][
        (-turns) % 4
    ]
    depth = int(np.clip(begin + (end - begin) * rng.uniform(0.1, 0.8), 0.02, 0.98) * SIZE)
    kind = rng.integers(3)
    out[:depth] = 0 if kind == 0 else (out[depth] if kind == 1 else rng.integers(0, 256, 3))
    gone = np.zeros(crop.shape[:2], bool)
    gone[:depth] = True
    return np.ascontiguousarray(np.rot90(out, -turns)), np.rot90(gone, -turns)
