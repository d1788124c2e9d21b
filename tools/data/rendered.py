"""Reads the pre-rendered heads that `python -m tools.synth.make` wrote into DATA/synth."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

HIDDEN_TRUST = 0.7
"""Trust in a point that something hides: it is exact, but nothing in the picture shows it."""
MOST = 9000
"""Pictures kept in memory (256 x 256: 0.2 MB each)."""


def read_rendered(folder: Path, split: str, limit: int | None = None) -> tuple[list[U8], F32, F32] | None:
    """Pictures, points (N, 98, 2) and trust (N, 98) of one split ("train" or "held"); None where nothing was rendered."""
    from tools.synth.make import read_shard

    pictures: list[U8] = []
    points, trust = [], []
    for file in sorted((folder / "synth").glob(f"{split}_*.npz")):
        if file.name.endswith(".part.npz") or len(pictures) >= (limit or MOST):
            continue
        shard = read_shard(file)
        pictures += list(shard["image"])
        points.append(shard["points"])
        trust.append(np.where(shard["visible"], 1.0, HIDDEN_TRUST).astype(np.float32))
    if not pictures:
        return None
    n = limit or MOST
    return pictures[:n], np.concatenate(points)[:n].astype(np.float32), np.concatenate(trust)[:n]
