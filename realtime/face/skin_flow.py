"""How the skin has moved since rest: a coarse field of displacements between two windows of one person's face.

Landmarks follow edges; a brow that is pale or in shadow has none, but the skin around it carries pores, hairs and shades that move with
it, and between two pictures of one person they can be followed to a tenth of a pixel. The method is dense inverse search (Kroeger et
al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016) at two scales, averaged in cells: patches are followed by their own
gradients (Baker and Matthews 2004), each counts by how alike it looks where it arrives. OpenCV's own follows as well on these small windows
and takes several times as long (`python -m tools.bench skin`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.face.patches import PAD, PATCH, averaged, follow, prepare, settled_pyramid

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

# what a patch without texture is held in place by, in squared gradients of a settled window; more where half the size
_HOLD, _HOLD_COARSE = np.float32(0.3), np.float32(1.0)
_REACH = 1.25
"""Cells take in patches up to this many cells away."""


class Scale(NamedTuple):
    """What following needs of P patches of the picture at rest, at one scale.

    patch, across, down: (P, 64) grey values and their gradients, each without its mean. inverse: (P, 3) xx, xy, yy of the
    inverse of the gradients' products. offset: (P, 2) products of patch and gradients. energy: (P,) square of the patch.
    """

    patch: F32
    across: F32
    down: F32
    inverse: F32
    offset: F32
    energy: F32


class Template(NamedTuple):
    """A window at rest, made ready to be found again."""

    fine: Scale
    coarse: Scale


class SkinFlow:
    """Displacements between windows of one size. Holds no state: any thread may ask."""

    def __init__(
        self, size: tuple[int, int], cells: tuple[int, int], fine: tuple[int, int], coarse: tuple[int, int]
    ) -> None:
        """size: (height, width) of the windows, even. cells: (rows, columns) of the answer; fine, coarse: of patches."""
        self.cells = cells
        self._fine, self._coarse = _corners(size, fine), _corners((size[0] // 2, size[1] // 2), coarse)
        middles = [corners + PATCH / 2 for corners in (self._fine, self._coarse)]
        spacing = np.array(size) / cells
        places = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in cells), indexing="ij"), -1).reshape(-1, 2) * spacing
        self._refine = _shares(middles[0], 2 * middles[1], 10.0)
        self._pool = _shares(places, middles[0], _REACH * float(spacing.max()))

    def template(self, window: U8 | F32) -> Template:
        """Of the picture at rest: (height, width) grey values 0..255."""
        fine, coarse = settled_pyramid(window)
        return Template(
            Scale(*prepare(fine, self._fine, PAD, _HOLD)),
            Scale(*prepare(coarse, self._coarse, PAD // 2, _HOLD_COARSE)),
        )

    def moved(self, template: Template, window: U8 | F32) -> F32:
        """(rows, columns, 2): pixels by which the skin of each cell lies further right and further down than at rest."""
        fine, coarse = settled_pyramid(window)
        start = np.zeros((len(self._coarse), 2), np.float32)
        unlike = follow(coarse, self._coarse, PAD // 2, *template.coarse, start)
        field = averaged(self._refine, start, unlike)
        field *= 2
        unlike = follow(fine, self._fine, PAD, *template.fine, field)
        return averaged(self._pool, field, unlike).reshape(*self.cells, 2)


def _corners(size: tuple[int, int], count: tuple[int, int]) -> F32:
    """(P, 2) upper left corners (y, x) of patches spread evenly, the same seen in a mirror."""
    along = [np.rint(np.linspace(0, side - PATCH, n)) for side, n in zip(size, count, strict=True)]
    return np.stack(np.meshgrid(*along, indexing="ij"), -1).reshape(-1, 2).astype(np.float32)


def _shares(places: NDArray[np.float64] | F32, of: NDArray[np.float64] | F32, reach: float) -> F32:
    """(len(places), len(of)): what each patch counts at each place, falling to nothing at `reach` pixels."""
    near = 1 - np.abs(places[:, None] - of[None]) / reach
    return np.asarray(np.maximum(near, 0).prod(axis=-1), np.float32)
