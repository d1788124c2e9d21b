"""Which faces of the collages become heads, and on which side of the split they stand."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.errors import UserInputError

F32 = NDArray[np.float32]

SMALLEST_FACE = 130
"""Faces with a shorter box (collage pixels) are too coarse to be a texture."""


@dataclass(frozen=True, slots=True)
class Source:
    """One face of the index that tools.data.labels wrote: where it stands in which collage, and its label (98, 2) there."""

    name: str
    collage: str
    box: F32
    points: F32
    held_out: bool


def sources(faces: Path, every: bool = False) -> list[Source]:
    """Usable faces, one per family of look-alikes, in a fixed mixed order (with `every`, also the look-alikes).

    Held-out heads come from the index's held-out collages, training heads from its training faces: the photographs of one
    side and their look-alikes never meet the other side. Raises UserInputError where there is no index.
    """
    file = faces / "index.npz"
    if not file.is_file():
        raise UserInputError(
            f"{file} is missing; make it with `python -m tools.data.collages` and `python -m tools.data.labels`."
        )
    with np.load(file) as data:
        box = data["collage_box"]
        side = (box[:, 2:] - box[:, :2]).max(1)
        fit = data["usable"] & (side >= SMALLEST_FACE) & (data["split"] != "copy")
        low = np.floor(np.maximum((box[:, :2] + box[:, 2:]) / 2 - 1.5 * side[:, None], 0))
        points = data["points"] / data["scale"][:, None, None] + low[:, None]
        best: dict[int, int] = {}
        for i in np.flatnonzero(fit):
            family = int(i) if every else int(data["family"][i])
            if family not in best or side[i] > side[best[family]]:
                best[family] = int(i)
        rows = np.random.default_rng(0).permutation(sorted(best.values()))
        names, collages, split = data["name"], data["collage"], data["split"]
        return [
            Source(
                Path(str(names[i])).stem,
                str(collages[i]),
                box[i],
                points[i].astype(np.float32),
                bool(split[i] == "held"),
            )
            for i in rows
        ]
