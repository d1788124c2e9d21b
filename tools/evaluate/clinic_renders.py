"""Pictures of rendered patients' examinations, kept in a folder: the same pictures can be looked at by several networks.

One file per person, `SEED_NUMBER_REPETITIONS.npz`, or `…_MOVEMENTS.npz` where not all movements are made; a person whose file is
there is not rendered again. Nothing of a picture is the same in two repetitions but the person: turn of the head, light, camera,
background, gaze and noise are drawn anew (light and camera in turn).
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.clinic import Movement
from realtime.clinic.types import MOVEMENTS
from tools.synth.camera import Camera, rotation
from tools.synth.drawing import Looks, draw
from tools.synth.heads import load_head
from tools.synth.hidden import COVERED_BROWS, COVERED_MOUTHS, awake_files, photograph_of
from tools.synth.kit import Kit, load_kit
from tools.synth.palsy import FACING, Patient, exact_points, expression_of, kit_of, random_patient
from tools.synth.sampler import random_looks, smaller
from tools.synth.scenery import background
from tools.synth.shade import Light
from tools.train.action_units.points import beside

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
SIZE, SUPERSAMPLING = 480, 2
FRAMES = 3
"""Frames of a moment; a snapshot is their median."""
TURN = (15.0, 8.0, 8.0)
"""Degrees of yaw, pitch and roll within which a repetition's head lies; within a repetition it moves by JITTER."""
JITTER = 1.5
_HEALTHY_ONE_IN = 4


class Shot(NamedTuple):
    """light, camera distance in cm and share of the picture that the face fills."""

    light: Light
    distance: float
    share: float


def _light(ambient: float, lamp: float, direction: tuple[float, float, float], gloss: float) -> Light:
    towards = np.array(direction, np.float32)
    return Light(
        np.full(3, ambient, np.float32),
        np.full(3, lamp, np.float32),
        (towards / np.linalg.norm(towards)).astype(np.float32),
        gloss,
    )


LIGHTS = (
    _light(0.9, 0.1, (0.0, -0.4, -1.0), 0.0),  # an even room
    _light(0.45, 0.7, (0.9, -0.4, -0.7), 0.15),  # a window on one side
    _light(0.5, 0.35, (-0.3, -0.9, -0.6), 0.3),  # dim, from the ceiling
)
LIGHT_NAMES = ("an even room", "a window on one side", "dim, from the ceiling")
CAMERAS = ((55.0, 0.62), (110.0, 0.5))
"""A near wide-angle webcam and a farther, longer one: distance in cm, share of the picture."""
CAMERA_NAMES = ("near", "far")


class Moment(NamedTuple):
    """A face for a moment.

    Attributes:
        frames: JPEG files of one picture with noise of its own each.
        near: (FRAMES, 98, 2) where the landmark network begins to look.
        drawn: (98, 2) the exact points in the picture, pixels.
        exact: (98, 2) the exact points as seen from the front.
        mm: millimetres of a pixel of those.
    """

    frames: tuple[U8, ...]
    near: F32
    drawn: F32
    exact: F32
    mm: float

    def pictures(self) -> Iterator[U8]:
        """The frames, (H, W, 3) BGR."""
        for packed in self.frames:
            decoded = cv2.imdecode(packed, cv2.IMREAD_COLOR)
            assert decoded is not None
            yield np.ascontiguousarray(decoded, np.uint8)


@dataclass(frozen=True, slots=True)
class Filmed:
    """A person and the moments of an examination, in the order of `sequence`.

    Attributes:
        patient: the person.
        pupils_mm: the person's pupil distance.
        repetitions: of each movement.
        movements: that are made.
        moments: of all of them.
    """

    patient: Patient
    pupils_mm: float
    repetitions: int
    movements: tuple[Movement, ...]
    moments: tuple[Moment, ...]


def sequence(
    repetitions: int, movements: Sequence[Movement] = MOVEMENTS
) -> Iterator[tuple[Movement, int, tuple[Movement, ...]]]:
    """Each repetition: of which movement, which one (from 0), and the moments that belong to it."""
    for movement in movements:
        for number in range(repetitions):
            yield movement, number, (movement,) if movement == "rest" else ("rest", movement)


def filmed(
    bank: Path,
    numbers: Sequence[int],
    repetitions: int,
    seed: int,
    folder: Path | None,
    *,
    movements: tuple[Movement, ...] = MOVEMENTS,
    render: bool = True,
    held_out: bool = True,
) -> Iterator[Filmed]:
    """Rendered people.

    Args:
        bank: folder of `python -m tools.synth.textures`.
        numbers: of the people.
        repetitions: of each movement.
        seed: draws the people.
        folder: where pictures are kept and taken from; None: nowhere.
        movements: that are made; rest is the first.
        render: people whose pictures are not there are rendered; False: they are left out.
        held_out: of heads that no training saw. Otherwise of the others, each person under a light and a camera of their own, so that
            one repetition of many people shows all of them.
    """
    hidden = COVERED_BROWS | COVERED_MOUTHS
    part = "" if movements == MOVEMENTS else "_" + "-".join(movements)
    kit, files = load_kit(), [f for f in awake_files(bank, held_out) if photograph_of(f.stem) not in hidden]
    for number in numbers:
        rng = np.random.default_rng([seed, number])
        head = load_head(files[(number + 37 * seed) % len(files)])
        patient = random_patient(rng, f"{seed}/{number}", head, healthy=number % _HEALTHY_ONE_IN == 0)
        kept = None if folder is None else folder / f"{seed}_{number:03}_{repetitions}{part}.npz"
        if kept is not None and kept.is_file():
            yield _read(kept, patient, repetitions, movements)
        elif render:
            made = Film(kit, patient, rng, 0 if held_out else number).film(repetitions, movements)
            if kept is not None:
                _write(kept, made)
            yield made


class Film:
    """Renders one patient's examination. Nothing is rendered yet.

    Args:
        kit: the head kit.
        patient: the person.
        rng: for poses, surroundings, looks and noise.
        first_shot: number of the light and the camera that the first repetition has.
    """

    def __init__(self, kit: Kit, patient: Patient, rng: np.random.Generator, first_shot: int = 0) -> None:
        self._kit, self._patient, self._rng, self._first_shot = kit_of(kit, patient), patient, rng, first_shot
        self._looks: Looks = random_looks(rng, patient.head)
        at_rest, mm = exact_points(self._kit, patient, expression_of(patient, "rest", rng))
        self._pupils_mm = float(np.linalg.norm(at_rest[96] - at_rest[97])) * mm

    def film(self, repetitions: int, movements: tuple[Movement, ...]) -> Filmed:
        """These movements, so many times."""
        moments: list[Moment] = []
        for _, number, parts in sequence(repetitions, movements):
            shot, turn = self._shot(number), self._turn()
            moments += [self._moment(part, shot, turn) for part in parts]
        return Filmed(self._patient, self._pupils_mm, repetitions, movements, tuple(moments))

    def _shot(self, number: int) -> Shot:
        number += self._first_shot
        return Shot(LIGHTS[number % len(LIGHTS)], *CAMERAS[number % len(CAMERAS)])

    def _turn(self) -> tuple[float, ...]:
        return tuple(float(self._rng.uniform(-most, most)) for most in TURN)

    def _moment(self, movement: Movement, shot: Shot, turn: tuple[float, ...]) -> Moment:
        expression = expression_of(self._patient, movement, self._rng)
        picture, points = self._render(expression, shot, turn)
        frames, near = [], []
        for _ in range(FRAMES):
            frames.append(self._noisy(picture))
            near.append(beside(points, self._rng))
        return Moment(tuple(frames), np.stack(near), points, *exact_points(self._kit, self._patient, expression))

    def _render(self, expression: F32, shot: Shot, turn: tuple[float, ...]) -> tuple[F32, F32]:
        rng, big, head = self._rng, SIZE * SUPERSAMPLING, self._patient.head
        pose = [angle + float(rng.normal(0, JITTER)) for angle in turn]
        camera = Camera(shot.share * big * shot.distance / 17.0, (big / 2 - 0.5, big / 2 - 0.5))
        behind = cv2.resize(background(rng, SIZE), (big, big), interpolation=cv2.INTER_LINEAR)
        drawn = draw(
            self._kit, head, head.identity, expression, rotation(*pose) @ FACING, np.array([0.0, 1.0, shot.distance + 8.0]),
            camera, (big, big), shot.light, self._looks, behind,
        )  # fmt: skip
        picture = cv2.resize(drawn.picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        return picture, smaller(drawn.points, SUPERSAMPLING)

    def _noisy(self, picture: F32) -> U8:
        """A webcam's frame as a JPEG file: sensor noise and compression."""
        noise = self._rng.standard_normal(picture.shape, np.float32) * float(self._rng.uniform(1, 5))
        done = np.clip(picture + noise, 0, 255).astype(np.uint8)
        packed = cv2.imencode(".jpg", done, [cv2.IMWRITE_JPEG_QUALITY, int(self._rng.integers(70, 96))])[1]
        return np.asarray(packed, np.uint8)


def _write(file: Path, made: Filmed) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    frames = [frame for moment in made.moments for frame in moment.frames]
    unfinished = file.with_suffix(f".{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as stream:
            np.savez(
                stream,
                sizes=np.array([len(frame) for frame in frames]),
                frames=np.concatenate(frames),
                near=np.stack([moment.near for moment in made.moments]),
                drawn=np.stack([moment.drawn for moment in made.moments]),
                exact=np.stack([moment.exact for moment in made.moments]),
                mm=np.array([moment.mm for moment in made.moments]),
                pupils_mm=made.pupils_mm,
            )
        unfinished.replace(file)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def _read(file: Path, patient: Patient, repetitions: int, movements: tuple[Movement, ...]) -> Filmed:
    with np.load(file) as kept:
        frames = iter(np.split(kept["frames"], np.cumsum(kept["sizes"])[:-1]))
        rows = zip(kept["near"], kept["drawn"], kept["exact"], kept["mm"], strict=True)
        moments = tuple(
            Moment(tuple(next(frames) for _ in near), near, drawn, exact, float(mm)) for near, drawn, exact, mm in rows
        )
        return Filmed(patient, float(kept["pupils_mm"]), repetitions, movements, moments)
