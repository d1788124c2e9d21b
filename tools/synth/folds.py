"""Folds of the skin: what a movement draws on a face beside what it moves.

The kit's expressions move the mesh alone; on a real face the brow's lowering is seen as much in the furrow between the brows, a
smile in the nasolabial fold, the cheek's raising in crow's feet. The folds here lie where the FACS manual (Ekman, Friesen and
Hager 2002) describes them, are cut by the movement of their own side, and differ from person to person as skin does: in
depth from none to deep, in number, place and course. One person's folds always lie in the same places.
"""

import zlib
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.synth.attachments import Attachments
from tools.synth.kit import Kit, sided
from tools.synth.occluders import fixed
from tools.synth.points import point_model

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

_SHARP, _SOFT = 1.3, 4.0
"""How wide (sigma, texels of an atlas of 512) a fold's line is, and the hollow around it."""
_DARK, _HOLLOW, _BULGE = 0.42, 0.5, 0.22
_TONE = np.array([1.15, 1.05, 0.8], np.float32)
"""Light that comes out of a fold has gone through skin: it is redder (B, G, R)."""
_LEAST = 0.04
_PIECES = 10
# WFLW points of one side that folds are placed by: inner and middle brow, eye's inner and outer corner, wing of the nose, mouth's corner.
_LEFT = {"brow": 50, "arch": 44, "inner": 68, "outer": 72, "wing": 59, "corner": 82}
_RIGHT = {"brow": 38, "arch": 35, "inner": 64, "outer": 60, "wing": 55, "corner": 76}
# Folds of one side and the movements that cut them: name -> {expression without side: share}.
CUT_BY: dict[str, dict[str, float]] = {
    "glabella": {"browDown": 1.0},
    "forehead_inner": {"browInnerUp": 1.0},
    "forehead_outer": {"browOuterUp": 1.0},
    "crows_feet": {"cheekSquint": 1.0, "cheekRaiser": 1.0},
    "under_eye": {"eyeSquint": 0.9, "cheekSquint": 0.5, "cheekRaiser": 0.5},
    "bunny": {"noseSneer": 1.0},
    "beside_nose": {"noseSneer": 0.8, "mouthUpperUp": 0.8},
    "nasolabial": {"mouthSmile": 1.0},
    "dimple": {"mouthDimple": 1.0},
    "below_corner": {"mouthFrown": 1.0},
    "beside_mouth": {"mouthStretch": 0.8},
    "under_lip": {"mouthShrugLower": 1.0, "mouthFrown": 0.25},
    "chin": {"mouthShrugLower": 1.0},
    "round_lips": {"mouthPucker": 0.6, "mouthFunnel": 0.2},
    "over_lip": {"mouthPress": 0.7},
}
# Least depth at full movement, as (lowest, highest) over people: a raised chin is pitted and a wrinkled nose is creased at any age.
_ANY_AGE: dict[str, tuple[float, float]] = {
    "bunny": (0.1, 0.8),
    "beside_nose": (0.2, 0.8),
    "nasolabial": (0.1, 0.6),
    "below_corner": (0.1, 0.6),
    "under_lip": (0.25, 0.8),
    "chin": (0.15, 0.65),
    "under_eye": (0.1, 0.6),
    "over_lip": (0.1, 0.6),
}


@dataclass(frozen=True, slots=True)
class Skin:
    """One person's folds. curves: name -> lines (P, 2) of the patient's left, then of the right, in texels of an atlas of 512;

    depth: name -> 0..1 at full movement; bend: exponent by which a fold follows its movement.
    """

    curves: dict[str, tuple[list[F32], list[F32]]]
    depth: dict[str, float]
    bend: float


def skin_of(name: str, brows: Attachments, kit: Kit) -> Skin:
    """The folds of the head of this name: always the same ones."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    places = _places(kit, brows)
    age = float(np.clip(rng.normal(0.45, 0.33), 0.0, 1.0))
    least = {fold: float(rng.uniform(*_ANY_AGE.get(fold, (0.0, 0.0)))) for fold in CUT_BY}
    depth = {fold: max(float(np.clip(age * rng.normal(1, 0.3), 0, 1)), least[fold]) for fold in CUT_BY}
    middle = float(places[51, 0])
    unit = float(places[72, 0] - places[60, 0])
    seed = int(rng.integers(1 << 31))
    sides = [
        _side(np.random.default_rng([seed, 0]), rng, places, own, middle, unit, sign)
        for own, sign in ((_LEFT, 1.0), (_RIGHT, -1.0))
    ]
    curves = {fold: (sides[0][fold], sides[1][fold]) for fold in CUT_BY}
    return Skin(curves, depth, float(rng.uniform(0.8, 1.5)))


def folded(texture: U8, skin: Skin, expression: F32) -> U8:
    """The atlas (A, A, 3) with the folds that an expression (57,) cuts."""
    size = texture.shape[0]
    scale = size / 512
    canvas = np.zeros((size, size), np.uint8)
    for fold, shares in CUT_BY.items():
        for lines, side in zip(skin.curves[fold], "LR", strict=True):
            moved = max(share * float(expression[sided(name, side)]) for name, share in shares.items())
            depth = skin.depth[fold] * min(max(moved, 0.0), 1.0) ** skin.bend
            if depth > _LEAST:
                _draw(canvas, lines, depth, scale)
    if not canvas.any():
        return texture
    relief = canvas.astype(np.float32) / 255
    line, hollow = (cv2.GaussianBlur(relief, (0, 0), sigma * scale) for sigma in (_SHARP, _SOFT))
    # Light comes from above more often than not: the bulge below a fold is brighter.
    bulge = np.roll(hollow, round(7 * scale), axis=0)
    dark = np.minimum(_DARK * line + _HOLLOW * hollow, 0.5) - _BULGE * bulge
    result: U8 = np.clip(texture * (1 - dark[..., None] * _TONE), 0, 255).astype(np.uint8)
    return result


def _draw(canvas: U8, lines: list[F32], depth: float, scale: float) -> None:
    """Lines that begin and end softly; where two cross, the deeper one is seen."""
    for line in lines:
        own = np.zeros_like(canvas)
        for i, (start, end) in enumerate(pairwise(fixed(place * scale) for place in line)):
            soft = np.sin(np.pi * (i + 0.7) / (len(line) + 0.4)) ** 0.6
            cv2.line(own, start, end, int(255 * depth * soft), max(1, round(2 * scale)), cv2.LINE_AA, shift=3)
        np.maximum(canvas, own, out=canvas)


def _places(kit: Kit, brows: Attachments) -> F32:
    """The 98 points (98, 2) on an atlas of 512 texels, y downward."""
    texels = (kit.places * (512, -512) + (0, 512)).astype(np.float32)
    out = point_model(kit).fixed.on(texels)
    out[33:51] = brows.on(texels)
    return out


def _side(
    shared: np.random.Generator,
    own: np.random.Generator,
    places: F32,
    points: dict[str, int],
    middle: float,
    unit: float,
    sign: float,
) -> dict[str, list[F32]]:
    """Lines of one side. shared: draws that both sides have in common; own: those of this side alone."""
    at = {
        name: np.array([sign * (places[p, 0] - middle), places[p, 1]], np.float32) / unit for name, p in points.items()
    }
    root, tip, upper, lower, chin = (float(places[p, 1]) / unit for p in (51, 54, 79, 85, 16))
    brow, arch, inner, outer, wing, corner = (at[n] for n in ("brow", "arch", "inner", "outer", "wing", "corner"))

    def line(*through: tuple[float, float], wave: float = 0.004) -> F32:
        """A smooth course through places (eye distances, outward and down) with this person's shakes."""
        knots = np.asarray(through, float) + own.normal(0, wave, (len(through), 2))
        t = np.linspace(0, 1, _PIECES + 1)
        ends = np.linspace(0, 1, len(knots))
        curve = np.polynomial.polynomial.polyfit(ends, knots, min(2, len(knots) - 1))
        course = np.polynomial.polynomial.polyval(t, curve).T
        return (np.stack([middle + sign * unit * course[:, 0], unit * course[:, 1]], 1)).astype(np.float32)

    heights = [0.13 + 0.095 * k + float(shared.normal(0, 0.012)) for k in range(int(shared.integers(2, 5)))]
    slope = float(shared.normal(0.02, 0.02))
    furrows = [(0.4,), (0.35, 0.72)][int(shared.random() < 0.4)]
    rays = np.deg2rad(shared.normal([-32, -4, 24], 6))
    reach = float(shared.uniform(0.1, 0.2))
    bow = float(shared.uniform(0.02, 0.06))
    top = float(arch[1])
    lift, pits = float(shared.normal(0, 0.012)), int(shared.integers(6, 16))
    return {
        "glabella": [
            line((brow[0] * f, brow[1] - 0.12), (brow[0] * f * 0.88, brow[1] - 0.04), (brow[0] * f, brow[1] + 0.03))
            for f in furrows
        ]
        + [line((0.0, root - 0.05), (0.05, root - 0.055), (0.1, root - 0.03))],
        "forehead_inner": [
            line((0.0, top - h + slope), (0.14, top - h), (0.29, top - h + 0.01), wave=0.008) for h in heights
        ],
        "forehead_outer": [
            line((0.2, top - h), (0.36, top - h + 0.01), (0.52, top - h + 0.07), wave=0.008) for h in heights
        ],
        "crows_feet": [
            line(
                (outer[0] + 0.05, outer[1] + 0.03 * np.sin(a)),
                (outer[0] + 0.05 + reach * np.cos(a), outer[1] + reach * np.sin(a)),
            )
            for a in rays
        ],
        "under_eye": [
            line(
                (inner[0] - 0.01, inner[1] + d * 0.5),
                ((inner[0] + outer[0]) / 2, inner[1] + d),
                (outer[0] + 0.03, outer[1] + d * 0.6),
            )
            for d in (0.075, 0.13)
        ],
        "bunny": [line((0.05, root + h), (0.1, root + h + 0.01), (0.14, root + h + 0.05)) for h in (0.03, 0.08, 0.13)],
        "beside_nose": [
            line((wing[0] + 0.0, tip - 0.05), (wing[0] + 0.07, tip + 0.03), (wing[0] + 0.13, wing[1] + 0.06))
        ],
        "nasolabial": [
            line(
                (wing[0] + 0.02, tip - 0.01),
                ((wing[0] + corner[0]) / 2 + 0.09 + bow, (tip + corner[1]) / 2),
                (corner[0] + 0.07 + bow, corner[1] + 0.05),
            )
        ],
        "dimple": [
            line(
                (corner[0] + 0.07, corner[1] - 0.06),
                (corner[0] + 0.1, corner[1]),
                (corner[0] + 0.07, corner[1] + 0.06),
            )
        ],
        "below_corner": [
            line(
                (corner[0] + 0.02, corner[1] + 0.02),
                (corner[0] + 0.05, corner[1] + 0.08),
                (corner[0] + 0.06, corner[1] + 0.17),
            )
        ],
        "beside_mouth": [
            line(
                (corner[0] + d, corner[1] - 0.1),
                (corner[0] + d + 0.03, corner[1]),
                (corner[0] + d, corner[1] + 0.12),
            )
            for d in (0.14, 0.22)
        ],
        "under_lip": [line((0.0, lower + 0.075 + lift), (0.09, lower + 0.08 + lift), (0.19, lower + 0.12 + lift))],
        "chin": [
            line((x, y), (x + 0.022 * np.cos(a), y + 0.022 * np.sin(a)), wave=0.003)
            for x, y, a in zip(
                own.uniform(0.005, 0.16, pits),
                own.uniform(lower + 0.1, chin - 0.02, pits),
                own.uniform(0, np.pi, pits),
                strict=True,
            )
        ],
        "round_lips": [line((x, upper - 0.07), (x * 0.95, upper - 0.015)) for x in (0.03, 0.08, 0.13)]
        + [line((x, lower + 0.02), (x * 1.05, lower + 0.07)) for x in (0.04, 0.1)],
        "over_lip": [line((0.02, upper - 0.03), (0.1, upper - 0.03), (0.2, upper + 0.04))],
    }
