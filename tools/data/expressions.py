"""Bending a photograph and its points together: jaws, brows, mouth corners, one side at a time (lids and lips: `lid_lip_warps`).

The photographs of the collages smile or look neutral; what a clinic films does neither. Each movement is a set of wished
displacements of some of the 98 points; between the points the picture follows by a Gaussian-weighted mean of the nearest
ones, so the picture stays smooth and the labels stay exact.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.points98 import BROWS, CONTOUR, LEFT_EYE, LIPS, NOSE, RIGHT_EYE

Floats = NDArray[np.floating[Any]]
Generator = np.random.Generator

REACH = 0.045
"""Width of the Gaussian that spreads a displacement, in crop units."""
GRID = 24

_LOWER_LIP = np.array([83, 84, 85, 86, 87, 93, 94, 95])
_UPPER_LIP = np.array([77, 78, 79, 80, 81, 89, 90, 91])
_RIGHT_BROW, _LEFT_BROW = np.arange(33, 42), np.arange(42, 51)
_CORNERS = ((76, 88), (82, 92))


def _fade(points: Floats, x: Floats, axis: Floats, centre: Floats, width: float) -> Floats:
    return np.exp(-(((points - centre) @ axis - x) ** 2) / (2 * width**2))


def random_movement(points: Floats, rng: Generator) -> Floats:
    """Displacements (98, 2), in the points' units, of one to three random movements, left and right apart."""
    move = np.zeros((98, 2), np.float32)
    across = points[72] - points[60]
    span = float(np.linalg.norm(across))
    if span < 1e-3:
        return move
    across = across / span
    down = np.array((-across[1], across[0]), np.float32)
    for kind in rng.choice(5, size=rng.integers(1, 4), replace=False, p=(0.3, 0.2, 0.26, 0.12, 0.12)):
        if kind == 0:  # jaw: lower lip and chin go down together
            depth = span * rng.uniform(0.05, 0.42)
            move[_LOWER_LIP] += down * depth
            hang = np.exp(-(((np.arange(33) - 16) / 6.5) ** 2))
            move[CONTOUR] += down * (depth * 0.9 * hang)[:, None]
            move[[76, 82, 88, 92]] += down * depth * 0.4
            move[CONTOUR] += across * span * rng.normal(0, 0.02) * hang[:, None]
        elif kind == 1:  # brows up or down, each by itself
            for brow in (_RIGHT_BROW, _LEFT_BROW):
                lift = -down * span * rng.uniform(-0.06, 0.14)
                inner = np.linspace(0, 1, 9) if rng.random() < 0.5 else np.ones(9)
                move[brow] += lift * inner[:, None].astype(np.float32)
        elif kind == 2:  # mouth corners, each by itself
            for corner, side in zip(_CORNERS, (-1, 1), strict=True):
                pull = across * side * span * rng.uniform(-0.1, 0.16) - down * span * rng.uniform(-0.09, 0.12)
                distance = np.linalg.norm(points[LIPS] - points[corner[0]], axis=1)
                move[LIPS] += pull * np.exp(-((distance / (0.22 * span)) ** 2))[:, None]
        elif kind == 3:  # the whole mouth narrower, wider, thicker or shifted
            centre = points[LIPS].mean(0)
            local = points[LIPS] - centre
            stretch = np.array((rng.uniform(-0.35, 0.25), rng.uniform(-0.2, 0.6)))
            frame = np.stack([across, down])
            move[LIPS] += (local @ frame.T * stretch) @ frame + across * span * rng.normal(0, 0.03)
        else:  # nose and upper lip up: a snarl
            lift = -down * span * rng.uniform(0.02, 0.07)
            move[NOSE[4:]] += lift * 0.6
            move[_UPPER_LIP] += lift * rng.uniform(0.5, 1.4)
    return move.astype(np.float32)


def random_features(points: Floats, rng: Generator) -> Floats:
    """Displacements (98, 2) that change the face's proportions: eyes, nose, mouth, brows and jaw moved and scaled a little."""
    span = float(np.linalg.norm(points[72] - points[60]))
    move = np.zeros((98, 2))
    for group in (CONTOUR, BROWS, NOSE, RIGHT_EYE, LEFT_EYE, LIPS):
        local = points[group] - points[group].mean(0)
        move[group] += rng.normal(0, 0.025, 2) * span + local * rng.normal(0, 0.07, 2)
    move[96] += move[RIGHT_EYE].mean(0)
    move[97] += move[LEFT_EYE].mean(0)
    return move.astype(np.float32)


def displacement_field(points: Floats, move: Floats) -> Floats:
    """Backward displacement (GRID, GRID, 2) on the unit square, of moves (N, 2) of places (N, 2): what is at v + D(v) shows up at v."""
    ticks = (np.arange(GRID, dtype=np.float32) + 0.5) / GRID
    targets = points + move
    # A 2-D Gaussian is the product of two 1-D ones: N x GRID exponentials per axis instead of N x GRID x GRID.
    along_x = np.exp(-((ticks[None] - targets[:, :1]) ** 2) / (2 * REACH**2))
    along_y = np.exp(-((ticks[None] - targets[:, 1:]) ** 2) / (2 * REACH**2))
    rows = np.stack([np.ones(len(points), np.float32), move[:, 0], move[:, 1]])
    summed = (along_y.T[None] * rows[:, None, :]) @ along_x
    result: Floats = -(summed[1:] / (summed[0] + 0.08)).transpose(1, 2, 0).astype(np.float32)
    return result


def sample_field(field: Floats, at: Floats) -> Floats:
    """Bilinear values (N, 2) of a field on the unit square at positions (N, 2)."""
    maps = (at * GRID - 0.5).astype(np.float32)[:, None, :]
    result: Floats = cv2.remap(field, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
    return result


def moved_points(points: Floats, field: Floats) -> Floats:
    """Where points (98, 2) of the unbent picture appear: the v with v + D(v) = point, by fixed-point iteration."""
    at = points.copy()
    for _ in range(6):
        at = 0.25 * at + 0.75 * (points - sample_field(field, at))
    return at
