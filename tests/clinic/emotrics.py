"""auto-eFACE once more, from pixels, written from the published definitions for the tests alone.

It shares no code with the program: axes through both eyes' centres (between their corners, where the authors take the irises', which
follow the gaze), SciPy's splines, and the formulas of the items.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

F64 = NDArray[np.float64]


class Side:
    """Measures of one side of one photograph, in millimetres. points: (98, 2) pixels, y down."""

    def __init__(self, points: F64, mm: float, left: bool) -> None:
        right_eye, left_eye = points[[60, 64]].mean(axis=0), points[[68, 72]].mean(axis=0)
        angle = np.arctan2(*(left_eye - right_eye)[::-1])
        cos, sin = np.cos(angle), np.sin(angle)
        p = (points - (left_eye + right_eye) / 2) @ np.array([[cos, -sin], [sin, cos]]) * mm

        def height(indices: list[int], x: float) -> float:
            curve = p[sorted(indices, key=lambda i: p[i, 0])]
            return float(CubicSpline(curve[:, 0], curve[:, 1], bc_type="natural")(x))

        eye = p[[68, 72] if left else [60, 64]].mean(axis=0)
        corner, lip = p[82 if left else 76], p[93 if left else 95]
        upper = [68, 69, 70, 71, 72] if left else [60, 61, 62, 63, 64]
        lower = [68, 75, 74, 73, 72] if left else [60, 67, 66, 65, 64]
        middle = (p[upper[0], 0] + p[upper[-1], 0]) / 2
        self.brow = eye[1] - height([42, 43, 44, 45, 46] if left else [33, 34, 35, 36, 37], eye[0])
        self.fissure = max(0.0, height(lower, middle) - height(upper, middle))
        crossing = height([83, 84, 85, 86, 87], 0.0)
        self.commissure = float(np.hypot(corner[0], corner[1] - crossing))
        self.angle = 90 + float(np.degrees(np.arcsin((crossing - corner[1]) / self.commissure)))
        self.lip = height(list(range(11, 22)), lip[0]) - lip[1]


def items(photographs: dict[str, F64], mm: float, affected: str) -> dict[str, float]:
    """The nine items that need no nasolabial fold, 0..100 each, from one photograph of each movement."""
    a = {name: Side(points, mm, affected == "left") for name, points in photographs.items()}
    h = {name: Side(points, mm, affected != "left") for name, points in photographs.items()}
    rest_a, rest_h = a["rest"], h["rest"]
    e_a, e_h = (np.sin(np.radians(s.angle - 90)) * s.commissure for s in (rest_a, rest_h))
    d_a, d_h = (np.cos(np.radians(s.angle - 90)) * s.commissure for s in (rest_a, rest_h))
    corner = 1 - (e_h - e_a) / e_h if 0 < e_a < e_h else d_a / d_h
    static = {"brow": rest_a.brow / rest_h.brow, "fissure": rest_h.fissure / rest_a.fissure, "commissure": corner}

    def closed(movement: str) -> float:
        gap = a[movement].fissure
        return (rest_a.fissure - (gap if gap >= 1 else 0)) / rest_a.fissure

    def share(movement: str, name: str) -> float:
        healthy = getattr(h[movement], name) - getattr(rest_h, name)
        return 0.0 if healthy == 0 else (getattr(a[movement], name) - getattr(rest_a, name)) / healthy

    moving = {
        "brow_raise": share("brow_raise", "brow"),
        "gentle_closure": closed("gentle_closure"),
        "full_closure": closed("tight_closure"),
        "smile": share("open_smile", "commissure"),
        "lower_lip": share("eee", "lip"),
        "ocular_synkinesis": min(a[m].fissure / h[m].fissure for m in ("open_smile", "pucker")),
    }
    balanced = {name: 100 - abs(100 - float(np.clip(100 * value, 0, 200))) for name, value in static.items()}
    return balanced | {name: float(np.clip(100 * value, 0, 100)) for name, value in moving.items()}
