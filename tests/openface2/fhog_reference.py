"""FHOG again, straight from its definition in double precision and plain loops: slow, and written without a glance at ours."""

import math

import numpy as np

VECTORS = [
    (1.0, 0.0),
    (0.9397, 0.3420),
    (0.7660, 0.6428),
    (0.5, 0.8660),
    (0.1736, 0.9848),
    (-0.1736, 0.9848),
    (-0.5, 0.8660),
    (-0.7660, 0.6428),
    (-0.9397, 0.3420),
]


def reference(image: np.ndarray, cell: int = 8) -> np.ndarray:
    """(rows, columns, 31) of a grey-valued (H, W) picture, H and W multiples of 8: no colour, so no ties between channels."""
    grey = image.astype(np.float64)
    rows, columns = grey.shape[0] // cell, grey.shape[1] // cell
    cells = np.zeros((rows, columns, 18))
    for y in range(1, grey.shape[0] - 1):
        for x in range(1, grey.shape[1] - 1):
            gx, gy = grey[y, x + 1] - grey[y, x - 1], grey[y + 1, x] - grey[y - 1, x]
            best, direction = 0.0, 0
            for k, (vx, vy) in enumerate(VECTORS):
                dot = vx * gx + vy * gy
                if abs(dot) > best + 1e-9:
                    best, direction = abs(dot), k if dot > 0 else k + 9
            cx, cy = (x + 0.5) / cell - 0.5, (y + 0.5) / cell - 0.5
            for row in (math.floor(cy), math.floor(cy) + 1):
                for column in (math.floor(cx), math.floor(cx) + 1):
                    if 0 <= row < rows and 0 <= column < columns:
                        share = (1 - abs(cy - row)) * (1 - abs(cx - column))
                        cells[row, column, direction] += share * math.hypot(gx, gy)
    unsigned = cells[..., :9] + cells[..., 9:]
    energy = (unsigned**2).sum(axis=2)
    out = np.zeros((rows - 2, columns - 2, 31))
    for r in range(1, rows - 1):
        for c in range(1, columns - 1):
            signed_sum = np.zeros(18)
            unsigned_sum = np.zeros(9)
            texture = []
            for dr, dc in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
                block = energy[np.ix_([r, r + dr], [c, c + dc])].sum()
                norm = math.sqrt(block + 1e-4)
                clipped = np.minimum(cells[r, c] / norm, 0.2)
                signed_sum += clipped
                unsigned_sum += np.minimum(unsigned[r, c] / norm, 0.2)
                texture.append(0.2357 * clipped.sum())
            out[r - 1, c - 1] = [*(0.5 * signed_sum), *(0.5 * unsigned_sum), *texture]
    return out
