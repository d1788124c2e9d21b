"""Eye windows with the exact place and diameter of the iris, cut from rendered heads.

`python -m tools.data.irises --bank BANK --out FILE.npz --count N [--held]`: N heads, two windows each at most, cut as
`realtime.face.iris` cuts them.
"""

import argparse
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.errors import FacemirrorError
from realtime.face.iris import LEFT_CORNERS, RIGHT_CORNERS, eye_window, window_matrix
from tools.synth.camera import project, rotation, to_camera
from tools.synth.drawing import Looks, draw, eye_geometry
from tools.synth.expressions import gaze_directions, random_expression
from tools.synth.heads import bank_files, load_head
from tools.synth.kit import load_kit
from tools.synth.sampler import another_shape, random_light, random_looks, random_view
from tools.synth.scenery import background

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

_PICTURE = 640
_LIMBUS = 0.005
"""Half way through the drawn limbus, radians beyond `Looks.iris_angle` (see `tools.synth.shade`)."""


@dataclass(frozen=True, slots=True)
class EyeWindow:
    """picture: (80, 112, 3) BGR. points: (8, 2) of the lids, then the pupil (1, 2), in its pixels, of the patient's own right eye (a
    left one is mirrored). centre: (2,) of the iris. diameter: pixels of its widest extent. iris: BGR colour."""

    picture: U8
    points: F32
    centre: F32
    diameter: float
    iris: F32


def cut(picture: U8, points: F32, side: int, centre: F32, diameter: float, iris: F32) -> EyeWindow:
    """The window of one eye. points: (98, 2) of the picture; side: 0 right, 1 left; the rest in the picture's pixels."""
    outer, inner = (RIGHT_CORNERS, LEFT_CORNERS)[side]
    matrix = window_matrix(points[outer], points[inner], mirrored=side == 1)
    scale = math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))
    seen = eye_window(picture, matrix)
    lids = points[60:68] if side == 0 else points[[72, 71, 70, 69, 68, 75, 74, 73]]
    own = np.concatenate([lids, points[[96 + side]]]) @ matrix[:, :2].T + matrix[:, 2]
    middle = matrix[:, :2] @ centre + matrix[:, 2]
    return EyeWindow(seen, own.astype(np.float32), middle.astype(np.float32), diameter * scale, iris)


class IrisSampler:
    """Endless rendered eyes, the same ones for the same seed and bank."""

    def __init__(self, bank: Path, seed: int, *, held_out: bool = False) -> None:
        """bank: folder of `tools.synth.textures`. Raises UserInputError where it or the kit is missing."""
        self._files, self._kit = bank_files(bank, held_out), load_kit()
        self._rng = np.random.default_rng([seed, int(held_out), 17])

    def next(self) -> list[EyeWindow]:
        """Both eyes of the next head; one that is shut or turned out of view is left out."""
        rng, kit = self._rng, self._kit
        head = load_head(self._files[int(rng.integers(len(self._files)))])
        expression, identity = random_expression(rng), another_shape(rng, head.identity, 0.25)
        matrix = rotation(*np.clip(rng.normal(0, [12, 8, 7]), -30, 30).tolist())
        camera, translation = random_view(rng, matrix, _PICTURE)
        looks: Looks = replace(random_looks(rng, head), iris_angle=float(rng.uniform(0.37, 0.53)))
        behind = cv2.resize(background(rng, 128, head.photo), (_PICTURE, _PICTURE), interpolation=cv2.INTER_LINEAR)
        drawn = draw(
            kit, head, identity, expression, matrix, translation, camera, (_PICTURE, _PICTURE),
            random_light(rng), looks, behind, "relief",
        )  # fmt: skip
        picture = np.clip(drawn.picture, 0, 255).astype(np.uint8)
        centres, radii = eye_geometry(kit, kit.shape(identity, expression))
        half = looks.iris_angle + _LIMBUS
        middles = to_camera(
            (centres + gaze_directions(expression) * (radii * math.cos(half))[:, None]).astype(np.float32),
            matrix, translation,
        )  # fmt: skip
        places = project(middles, camera)
        out = []
        for side in (0, 1):
            lids = drawn.points[60:68] if side == 0 else drawn.points[68:76]
            if not drawn.visible[96 + side] or not drawn.visible[[60, 64] if side == 0 else [68, 72]].all():
                continue
            diameter = 2 * float(radii[side]) * math.sin(half) * camera.focal / float(middles[side, 2])
            gap = np.linalg.norm(lids[2] - lids[6])
            if gap > 0.3 * diameter:
                out.append(cut(picture, drawn.points, side, places[side], diameter, looks.iris))
        return out


def as_arrays(windows: list[EyeWindow]) -> dict[str, Any]:
    """What a shard holds."""
    return {
        "picture": np.stack([w.picture for w in windows]),
        "points": np.stack([w.points for w in windows]),
        "centre": np.stack([w.centre for w in windows]),
        "diameter": np.array([w.diameter for w in windows], np.float32),
        "iris": np.stack([w.iris for w in windows]),
    }


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.data.irises", description=__doc__)
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held", action="store_true", help="of the people kept for tests")
    arguments = parser.parse_args()
    try:
        sampler = IrisSampler(arguments.bank, arguments.seed, held_out=arguments.held)
    except FacemirrorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    windows = [window for _ in range(arguments.count) for window in sampler.next()]
    np.savez(arguments.out, **as_arrays(windows))
    print(f"{len(windows)} eyes in {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
