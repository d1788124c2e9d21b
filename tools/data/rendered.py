"""Reads the pre-rendered heads that `python -m tools.synth.make` wrote into DATA/synth."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

HIDDEN_TRUST = 0.7
"""Trust in a point that something hides: it is exact, but nothing in the picture shows it."""
MOST = 36_000
"""Pictures kept in memory (256 x 256: 0.2 MB each)."""


def shards(folder: Path, split: str) -> list[Path]:
    """The finished files of one split ("train" or "held"), in order."""
    return [file for file in sorted(folder.glob(f"{split}_*.npz")) if not file.name.endswith(".part.npz")]


def read_rendered(
    folder: Path, split: str, limit: int | None = None, kind: str = "synth"
) -> tuple[list[U8], F32, F32] | None:
    """Pictures, points (N, 98, 2) and trust (N, 98) of one split ("train" or "held"); None where nothing was rendered.

    kind: the folder under DATA, "synth" or the undisturbed "synth_clean" of `render_clean`.
    """
    from tools.synth.make import read_shard

    pictures: list[U8] = []
    points, trust = [], []
    for file in shards(folder / kind, split):
        if len(pictures) >= (limit or MOST):
            break
        shard = read_shard(file)
        pictures += list(shard["image"])
        points.append(shard["points"])
        trust.append(np.where(shard["visible"], 1.0, HIDDEN_TRUST).astype(np.float32))
    if not pictures:
        return None
    n = limit or MOST
    return pictures[:n], np.concatenate(points)[:n].astype(np.float32), np.concatenate(trust)[:n]


def render_clean(folder: Path, count: int = 300, seed: int = 77) -> None:
    """Render held-out heads without occluders, blur or noise into DATA/synth_clean, once."""
    from tools.synth.make import shard_file, write_shard
    from tools.synth.sampler import Sampler

    out = folder / "synth_clean"
    file = shard_file(out, held_out=True, seed=seed, number=0)
    if not file.exists():
        out.mkdir(parents=True, exist_ok=True)
        sampler = Sampler(folder / "synth_bank", size=256, seed=seed, held_out=True, clean=True)
        write_shard(file, [sampler.next() for _ in range(count)])
