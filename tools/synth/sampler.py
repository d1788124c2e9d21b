"""Random pictures of heads with their exact truth.

from tools.synth import Sampler
sample = Sampler(bank_folder, size=256, seed=1).next()
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.synth.camera import Camera, rotation, to_camera
from tools.synth.drawing import Drawn, Looks, draw
from tools.synth.expressions import random_expression
from tools.synth.heads import Head, bank_files, load_head
from tools.synth.kit import load_kit
from tools.synth.occluders import occlude
from tools.synth.scenery import background, degrade
from tools.synth.shade import Light

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Bools = NDArray[np.bool_]

_SUPERSAMPLING = 2
# The middle of the face in the head frame, about the tip of the nose's root, cm.
_FACE_CENTRE = np.array([[0.0, -1.0, 8.0]], np.float32)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A picture and its truth.

    image: (size, size, 3) uint8 BGR. points: (98, 2) float32 px, WFLW order, pixel centres at integers. visible: (98,) not
    hidden by the head itself, an occluder or the picture's border. box: (4,) x1, y1, x2, y2 from the hair line to the chin.
    pose: yaw, pitch, roll in degrees (yaw > 0: turns to the patient's left; pitch > 0: looks up; roll > 0: tilts to the
    patient's left). expression: (57,) coefficients in EXPRESSION_NAMES' order. identity: id of the head; two samples with
    the same id share photograph and fitted shape. camera: focal length and centre in this picture's pixels.
    """

    image: U8
    points: F32
    visible: Bools
    box: F32
    pose: tuple[float, float, float]
    expression: F32
    identity: str
    camera: Camera


class Sampler:
    """Endless random heads, the same ones for the same seed and bank."""

    def __init__(
        self,
        bank: Path | str,
        size: int = 256,
        seed: int = 0,
        held_out: bool = False,
        clean: bool = False,
        vary_identity: bool = True,
    ) -> None:
        """bank: folder of tools.synth.textures; held_out: draw from the held-out identities.

        clean: no occluders, no degradation. vary_identity: change a head's shape a little each time (not where one person
        is followed). Raises UserInputError where the bank or the kit is missing.
        """
        self._files = bank_files(Path(bank), held_out)
        self._kit = load_kit()
        self._size = size
        self._clean = clean
        self._vary = 0.25 if vary_identity else 0.0
        self._rng = np.random.default_rng([seed, int(held_out)])

    def next(self) -> Rendered:
        """The next random picture."""
        rng = self._rng
        head = load_head(self._files[int(rng.integers(len(self._files)))])
        return self.sample(head, random_expression(rng), random_pose(rng))

    def sample(
        self, head: Head, expression: F32, pose: tuple[float, float, float], identity: F32 | None = None
    ) -> Rendered:
        """A picture of a given head, expression and pose; camera, light, surroundings and camera faults are random.

        identity: (100,) to give the head another shape than its photograph's.
        """
        rng = self._rng
        big = self._size * _SUPERSAMPLING
        identity = another_shape(rng, head.identity if identity is None else identity, self._vary)
        matrix = rotation(*pose)
        camera, translation = random_view(rng, matrix, big)
        surroundings = "relief" if rng.random() < 0.85 else "bare"
        behind = background(rng, self._size, head.photo if rng.random() < 0.5 else None)
        behind = cv2.resize(behind, (big, big), interpolation=cv2.INTER_LINEAR)
        drawn = draw(
            self._kit, head, identity, expression, matrix, translation, camera, (big, big),
            random_light(rng), random_looks(rng, head), behind, surroundings,
        )  # fmt: skip
        return self._finish(drawn, pose, expression, head, camera)

    def _finish(
        self, drawn: Drawn, pose: tuple[float, float, float], expression: F32, head: Head, camera: Camera
    ) -> Rendered:
        rng, factor = self._rng, _SUPERSAMPLING
        picture = cv2.resize(drawn.picture, (self._size, self._size), interpolation=cv2.INTER_AREA)
        points = smaller(drawn.points, factor)
        visible = drawn.visible
        if not self._clean and rng.random() < 0.35:
            hidden = occlude(rng, picture, points)
            x, y = np.clip(np.rint(points), 0, self._size - 1).astype(int).T
            visible = visible & (hidden[y, x] < 0.5)
        image = np.clip(picture, 0, 255).astype(np.uint8) if self._clean else degrade(rng, picture)
        return Rendered(
            image=image,
            points=points,
            visible=visible,
            box=smaller(drawn.box.reshape(2, 2), factor).reshape(4),
            pose=pose,
            expression=expression,
            identity=head.name,
            camera=Camera(camera.focal / factor, tuple(((np.array(camera.centre) + 0.5) / factor - 0.5).tolist())),
        )


def another_shape(rng: np.random.Generator, identity: F32, spread: float) -> F32:
    """The identity (100,) with its 40 strongest coefficients changed a little."""
    return (identity + spread * rng.normal(0, 1, 100) * (np.arange(100) < 40)).astype(np.float32)


def smaller(points: F32, factor: int) -> F32:
    """Pixels of a picture -> pixels of the same picture shrunk by an integer factor (pixel centres at integers)."""
    return ((points + 0.5) / factor - 0.5).astype(np.float32)


def random_pose(rng: np.random.Generator) -> tuple[float, float, float]:
    """Yaw within +-60, pitch within +-35, roll within +-30 degrees; small turns are commoner."""
    if rng.random() < 0.6:
        yaw, pitch, roll = rng.normal(0, [16, 9, 7])
    else:
        yaw, pitch, roll = rng.uniform(-1, 1, 3) * [60, 32, 30]
    return float(np.clip(yaw, -60, 60)), float(np.clip(pitch, -35, 35)), float(np.clip(roll, -30, 30))


def random_view(rng: np.random.Generator, matrix: F64, size: int) -> tuple[Camera, F64]:
    """A camera and the head's translation: distance 35-200 cm, the face 40-62 % of the picture, near its middle."""
    distance = float(np.clip(np.exp(rng.normal(np.log(75), 0.4)), 35, 200))
    share = rng.uniform(0.42, 0.62)
    camera = Camera(share * size * distance / 17.0, (size / 2 - 0.5, size / 2 - 0.5))
    middle = to_camera(_FACE_CENTRE, matrix, np.zeros(3))[0]
    shift = rng.normal(0, 0.03, 2) * size * distance / camera.focal
    return camera, np.array([shift[0], shift[1], distance]) - middle


def random_light(rng: np.random.Generator) -> Light:
    """Mostly what the photograph brought; often a lamp from somewhere before the face, now and then a hard one."""
    strength = float(rng.choice([0.1, 0.3, 0.6, 0.9], p=[0.35, 0.3, 0.25, 0.1]))
    direction = np.array([rng.normal(0, 0.8), rng.normal(-0.35, 0.6), -abs(rng.normal(0.8, 0.4)) - 0.05])
    direction /= np.linalg.norm(direction)
    tint = np.clip(rng.normal(1, 0.06, 3), 0.7, 1.3)
    ambient = np.full(3, 1.0 - 0.75 * strength)
    return Light(
        ambient.astype(np.float32),
        (1.25 * strength * tint).astype(np.float32),
        direction.astype(np.float32),
        float(rng.choice([0, 0.15, 0.5], p=[0.5, 0.35, 0.15])),
    )


_IRISES = np.array([[25, 45, 75], [20, 30, 45], [60, 85, 110], [120, 105, 80], [90, 120, 95], [45, 70, 95]], np.float32)


def random_looks(rng: np.random.Generator, head: Head) -> Looks:
    """The photograph's iris colour or another, whiter or yellower teeth and sclera, a wider or narrower pupil."""
    iris = head.iris if rng.random() < 0.5 else _IRISES[int(rng.integers(len(_IRISES)))]
    iris = np.clip(iris * rng.uniform(0.7, 1.3), 8, 200)
    white = rng.uniform(0.85, 1.05)
    return Looks(
        iris=iris.astype(np.float32),
        sclera=(np.array([192, 198, 208]) * white).astype(np.float32),
        teeth=(np.array([rng.uniform(150, 205), 200, 212]) * rng.uniform(0.8, 1.05)).astype(np.float32),
        gums=(np.array([80, 78, 150]) * rng.uniform(0.7, 1.15)).astype(np.float32),
        iris_angle=float(rng.uniform(0.4, 0.48)),
        pupil_angle=float(rng.uniform(0.11, 0.24)),
    )
