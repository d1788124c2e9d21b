"""One training crop of the landmark network, face or no face, from a stored picture: geometry, labels and presence."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.appearance import SKIN, degrade, hand_mask, occlude, paint, relight
from tools.data.expressions import displacement_field, moved_points, random_features, random_movement
from tools.data.slits import close_eye, open_mouth
from tools.data.points98 import MIRROR, crop_matrix, flip_points, invert, square_from_points, transform

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Generator = np.random.Generator

SIZE = 112
_BORDERS = (cv2.BORDER_CONSTANT, cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101)


@dataclass(frozen=True)
class Strength:
    """How often each mishap is tried; the defaults are for photographs. Rendered faces come bent and spoilt already."""

    bend: float = 0.4
    features: float = 0.3
    tear: float = 0.22
    occlude: float = 0.36
    paint: float = 0.15
    hard_geometry: float = 0.35
    spoil: float = 1.0


@dataclass(frozen=True)
class Sample:
    """crop: (112, 112, 3) BGR. points: (98, 2) crop units. weight: (98,), 0 where a point must not teach. presence: 0..1."""

    crop: U8
    points: F32
    weight: F32
    presence: float
    matrix: NDArray[np.float64]


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


def sample_face(picture: U8, points: F32, trust: F32, rng: Generator, strength: Strength, other: U8 | None) -> Sample:
    """A crop that holds the face, spoilt at random. `other` is a crop of something else, used as an occluder's texture."""
    # The picture itself is never mirrored (that would copy it): the crop's matrix mirrors.
    mirror = bool(rng.random() < 0.5)
    if mirror:
        points, trust = flip_points(points, picture.shape[1]), trust[MIRROR]
    centre, side, roll = square_from_points(points)
    shift, scale, turn, distortion = random_geometry(rng, bool(rng.random() < strength.hard_geometry))
    c, s = np.cos(roll), np.sin(roll)
    centre = centre + np.array([[c, -s], [s, c]]) @ shift * side
    matrix = crop_matrix(centre, side * scale, roll + turn, SIZE)
    middle = (SIZE - 1) / 2
    matrix = np.column_stack([distortion @ matrix[:, :2], distortion @ (matrix[:, 2] - middle) + middle])
    seen = (transform(points, matrix) + 0.5) / SIZE
    if mirror:
        matrix = np.column_stack([-matrix[:, 0], matrix[:, 1], matrix[:, 2] + matrix[:, 0] * (picture.shape[1] - 1)])
    border = _BORDERS[rng.integers(len(_BORDERS))]
    move = np.zeros((98, 2), np.float32)
    if rng.random() < strength.bend:
        move += random_movement(seen, rng)
    if rng.random() < strength.features:
        move += random_features(seen, rng)
    tear = rng.random() < strength.tear
    if move.any() or tear:
        crop, seen = _bent(picture, matrix, seen, move, tear, border, rng)
    else:
        crop = cv2.warpAffine(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=border)
    inside = ((seen > 0.0) & (seen < 1.0)).all(1)
    visible = inside.copy()
    if rng.random() < strength.paint:
        crop = paint(crop, seen, rng)
    if rng.random() < strength.occlude:
        crop, hidden = occlude(crop, seen, rng, other, int(rng.integers(1, 4)))
        at = np.clip((seen * SIZE).astype(int), 0, SIZE - 1)
        visible &= hidden[at[:, 1], at[:, 0]] < 128
    if rng.random() < 0.05:  # the picture's own edge cuts the face
        crop, gone = _cut_off(crop, rng)
        at = np.clip((seen * SIZE).astype(int), 0, SIZE - 1)
        visible &= ~gone[at[:, 1], at[:, 0]]
    if rng.random() < strength.spoil:
        crop = degrade(relight(np.ascontiguousarray(crop), rng), rng)
    presence = (
        ramp(square_iou(shift, scale), 0.22, 0.42)
        * ramp(abs(float(np.degrees(turn))), 75, 52)
        * ramp(float(visible.mean()), 0.35, 0.7)
    )
    # A hidden point still teaches (the rest of the face says where it must be), but less.
    weight = trust * inside * np.where(visible, 1.0, 0.6)
    return Sample(crop, seen.astype(np.float32), weight.astype(np.float32), presence, matrix)


def _bent(
    picture: U8, matrix: NDArray[np.float64], seen: F32, move: F32, tear: bool, border: int, rng: Generator
) -> tuple[U8, F32]:
    """The crop and its points after the smooth movement, and after eyes closed and a mouth opened where `tear` says so."""
    gap = float(np.linalg.norm(seen[90] - seen[94]))
    back = invert(matrix)
    to_picture = back[:, :2] * SIZE
    ticks = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
    at = np.stack(np.meshgrid(ticks, ticks), -1)
    if move.any():
        field = displacement_field(seen, move)
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
                    seen = close_eye(maps, seen, first, amount if both else float(rng.uniform(-0.25, 1.0)), to_picture)
        if rng.random() < 0.4:
            seen = open_mouth(maps, seen, float(rng.uniform(0.01, 0.16)), to_picture)
    crop = cv2.remap(picture, maps, None, cv2.INTER_LINEAR, borderMode=border)
    gap_grew = float(np.linalg.norm(seen[90] - seen[94])) - gap > 0.02
    return (_dark_mouth(crop, seen, rng) if gap_grew else crop), seen


def _dark_mouth(crop: U8, points: F32, rng: Generator) -> U8:
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
    return np.clip(out, 0, 255).astype(np.uint8)


def _cut_off(crop: U8, rng: Generator) -> tuple[U8, NDArray[np.bool_]]:
    """Replace one side of the crop, up to 70 % of it, by black, grey or its own edge stretched."""
    depth = int(rng.uniform(0.15, 0.7) * SIZE)
    turns = int(rng.integers(4))
    out = np.rot90(crop, turns).copy()
    kind = rng.integers(3)
    out[:depth] = 0 if kind == 0 else (out[depth] if kind == 1 else rng.integers(0, 256, 3))
    gone = np.zeros(crop.shape[:2], bool)
    gone[:depth] = True
    return np.rot90(out, -turns), np.rot90(gone, -turns)


def sample_nothing(picture: U8, faces: list[tuple[NDArray[np.float64], float, float]], rng: Generator) -> Sample:
    """A crop that holds no face, or too little, too small or upside down, from a picture with known face squares.

    faces: centre, side, roll of every face's nominal square. Squares that would show a face well are not taken.
    """
    for _ in range(20):
        centre, side, roll = faces[rng.integers(len(faces))]
        kind = rng.random()
        shift, scale, turn = np.zeros(2), 1.0, rng.normal(0, 0.3)
        if kind < 0.45:  # beside the face
            angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.62, 1.5)
            shift, scale = np.array((np.cos(angle), np.sin(angle))) * far, float(np.exp(rng.normal(-0.1, 0.35)))
        elif kind < 0.65:  # far too close: an eye, a mouth, a cheek
            shift, scale = rng.uniform(-0.35, 0.35, 2), float(rng.uniform(0.12, 0.42))
        elif kind < 0.8:  # far too wide
            shift, scale = rng.uniform(-0.6, 0.6, 2), float(rng.uniform(2.3, 3.2))
        else:  # lying or upside down
            shift, scale, turn = (
                rng.normal(0, 0.08, 2),
                float(np.exp(rng.normal(0, 0.15))),
                rng.choice((-1, 1)) * rng.uniform(1.4, np.pi),
            )
        c, s = np.cos(roll), np.sin(roll)
        at = centre + np.array([[c, -s], [s, c]]) @ shift * side
        new = scale * side
        overlaps = [square_iou((np.asarray(m) - at) / new, w / new) for m, w, _ in faces]
        if kind >= 0.8 or max(overlaps) < 0.2:
            break
    else:
        return plain_nothing(rng)
    matrix = crop_matrix(at, new, roll + turn, SIZE)
    border = _BORDERS[rng.integers(len(_BORDERS))]
    crop = cv2.warpAffine(
        picture, matrix, (SIZE, SIZE), flags=cv2.INTER_AREA if scale > 2 else cv2.INTER_LINEAR, borderMode=border
    )
    if rng.random() < 0.25:
        crop = _hand_over(crop, rng)
    return _empty(degrade(relight(crop, rng), rng), matrix)


def plain_nothing(rng: Generator) -> Sample:
    """A crop of no place at all: gradients, noise, stripes, letters, a hand in front of them."""
    coarse = int(rng.integers(2, 24))
    base = cv2.resize(
        rng.integers(0, 256, (coarse, coarse, 3)).astype(np.uint8), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR
    )
    kind = rng.integers(4)
    if kind == 1:
        wave = np.sin(np.arange(SIZE)[:, None] * rng.normal() + np.arange(SIZE)[None] * rng.normal())
        base = np.clip(base + (wave * 80)[..., None], 0, 255).astype(np.uint8)
    elif kind == 2:
        for _ in range(int(rng.integers(1, 6))):
            word = "".join(chr(k) for k in rng.integers(65, 123, int(rng.integers(2, 9))))
            spot = tuple(rng.integers(-10, SIZE, 2).tolist())
            cv2.putText(
                base,
                word,
                spot,
                int(rng.integers(0, 5)),
                float(rng.uniform(0.3, 2.5)),
                rng.integers(0, 256, 3).tolist(),
                int(rng.integers(1, 5)),
            )
    elif kind == 3:
        for _ in range(int(rng.integers(1, 12))):
            centre = tuple(rng.integers(0, SIZE, 2).tolist())
            axes = tuple(rng.integers(2, SIZE // 2, 2).tolist())
            cv2.ellipse(
                base,
                centre,
                axes,
                float(rng.uniform(0, 180)),
                0,
                360,
                rng.integers(0, 256, 3).tolist(),
                -1 if rng.random() < 0.7 else 2,
            )
    if rng.random() < 0.5:
        base = _hand_over(base, rng)
    return _empty(degrade(relight(base, rng), rng), np.eye(2, 3))


def _hand_over(crop: U8, rng: Generator) -> U8:
    mask = hand_mask(
        rng, SIZE, rng.uniform(0.25, 0.75, 2).astype(np.float32) * SIZE, float(rng.uniform(0.25, 0.6)) * SIZE
    )
    tone = SKIN[rng.integers(len(SKIN))] * rng.uniform(0.7, 1.2)
    light = cv2.resize(rng.normal(1, 0.2, (4, 4)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)[
        ..., None
    ]
    inner = cv2.GaussianBlur(mask, (0, 0), 3)[..., None] / 255.0
    skin = tone * light * (0.6 + 0.4 * inner)
    return np.clip(crop + (skin - crop) * (mask[..., None] / 255.0), 0, 255).astype(np.uint8)


def _empty(crop: U8, matrix: NDArray[np.float64]) -> Sample:
    return Sample(crop, np.full((98, 2), 0.5, np.float32), np.zeros(98, np.float32), 0.0, matrix)
