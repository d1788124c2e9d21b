"""Examinations of rendered patients: what the program measures on their pictures, and the truth from their exact points."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.action_units.descriptor import Descriptor, describe
from realtime.action_units.model import ActionUnits
from realtime.action_units.rest_frame import Windows
from realtime.clinic import Examination, HeadSize, Movement, Repetition, Scale, Snapshot, measure_lengths
from realtime.clinic.frontal import seen_from_front
from realtime.clinic.scale import pupil_scale
from realtime.clinic.types import MOVEMENTS
from realtime.face.face_model import HEAD_3D
from realtime.face.landmarks import LandmarkModel
from realtime.face.pose import estimate_pose, facing_angles
from realtime.types import Millimetres, Sides
from tools.evaluate.au_people import KnownPerson, with_rest
from tools.synth.camera import Camera, rotation
from tools.synth.drawing import Looks, draw
from tools.synth.kit import Kit
from tools.synth.palsy import FACING, Patient, exact_points, expression_of, kit_of
from tools.synth.sampler import random_looks, smaller
from tools.synth.scenery import background
from tools.synth.shade import Light
from tools.train.action_units.points import locate

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
SIZE, SUPERSAMPLING = 480, 2
FRAMES = 3
"""Frames that a snapshot is the median of."""
TURN = (15.0, 8.0, 8.0)
"""Degrees of yaw, pitch and roll within which a repetition's head lies; within a repetition it moves by JITTER."""
JITTER = 1.5
_MIDLINE = ("philtrum_deviation", "fai")


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


@dataclass(frozen=True, slots=True)
class Networks:
    """What looks at the pictures."""

    landmarks: LandmarkModel
    units: ActionUnits


class Seen(NamedTuple):
    """One frame as the program sees it."""

    lengths: Millimetres
    pose: tuple[float, float, float]
    found: Descriptor
    windows: Windows


@dataclass(frozen=True, slots=True)
class Examined:
    """patient, what the program made of its pictures, and what the exact points say."""

    patient: Patient
    measured: Examination
    truth: Examination


class Examiner:
    """Renders a patient's examination and looks at it in the live way."""

    def __init__(self, kit: Kit, networks: Networks, patient: Patient, rng: np.random.Generator) -> None:
        """Nothing is rendered yet.

        Args:
            kit: the head kit.
            networks: of the program.
            patient: whom to examine.
            rng: for poses, surroundings, looks and noise.
        """
        self._kit, self._networks, self._patient, self._rng = kit_of(kit, patient), networks, patient, rng
        self._looks: Looks = random_looks(rng, patient.head)
        at_rest, mm = exact_points(self._kit, patient, expression_of(patient, "rest", rng))
        self._pupils_mm = float(np.linalg.norm(at_rest[96] - at_rest[97])) * mm
        self._head = HeadSize("pupil distance")
        self._known: KnownPerson | None = None

    def examine(self, repetitions: int) -> Examined:
        """Every movement, so many times."""
        pairs = list(self._repetitions(repetitions))
        measured, truth = ([pair[i] for pair in pairs] for i in (0, 1))
        side = self._patient.affected
        blank = Examination(self._patient.name, side, "all", "2026-01-01T00:00:00+00:00", "pupil distance")
        return Examined(
            self._patient,
            replace(blank, finished=True, repetitions=tuple(measured)),
            replace(blank, finished=True, repetitions=tuple(truth)),
        )

    def _repetitions(self, count: int) -> Iterator[tuple[Repetition, Repetition]]:
        rests = [self._moment("rest", self._shot(number), self._turn()) for number in range(count)]
        frames = [one for seen, _ in rests for one in seen]
        units = self._networks.units
        known = []
        for one in frames:
            units.measure(one.found, None, one.windows)
            assert units.embedding is not None
            known.append((one.found, one.windows, units.embedding))
        self._known = with_rest(known, units.identity)[0]
        for number, (seen, exact) in enumerate(rests, 1):
            yield (
                Repetition("rest", number, "counted", rest=self._snapshot(seen)),
                Repetition("rest", number, "counted", rest=exact),
            )
        for movement in MOVEMENTS[1:]:
            for number in range(1, count + 1):
                shot, turn = self._shot(number - 1), self._turn()
                calm, calm_truth = self._moment("rest", shot, turn)
                peak, peak_truth = self._moment(movement, shot, turn)
                yield (
                    Repetition(movement, number, "counted", rest=self._snapshot(calm), at_peak=self._snapshot(peak)),
                    Repetition(movement, number, "counted", rest=calm_truth, at_peak=peak_truth),
                )

    def _shot(self, number: int) -> Shot:
        return Shot(LIGHTS[number % len(LIGHTS)], *CAMERAS[number % len(CAMERAS)])

    def _turn(self) -> tuple[float, ...]:
        return tuple(float(self._rng.uniform(-most, most)) for most in TURN)

    def _moment(self, movement: Movement, shot: Shot, turn: tuple[float, ...]) -> tuple[list[Seen], Snapshot]:
        expression = expression_of(self._patient, movement, self._rng)
        picture, points = self._render(expression, shot, turn)
        seen = [self._look(self._noisy(picture), points) for _ in range(FRAMES)]
        exact, mm = exact_points(self._kit, self._patient, expression)
        lengths = measure_lengths(exact, Scale(mm, "ruler"), (0.0, 0.0, 0.0))
        return seen, Snapshot(1, 0, *_named([lengths]))

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
        """A webcam's frame: sensor noise and compression."""
        noise = self._rng.standard_normal(picture.shape, np.float32) * float(self._rng.uniform(1, 5))
        done = np.clip(picture + noise, 0, 255).astype(np.uint8)
        packed = cv2.imencode(".jpg", done, [cv2.IMWRITE_JPEG_QUALITY, int(self._rng.integers(70, 96))])[1]
        decoded = cv2.imdecode(packed, cv2.IMREAD_COLOR)
        assert decoded is not None
        return np.ascontiguousarray(decoded, np.uint8)

    def _look(self, picture: U8, near: F32) -> Seen:
        points = locate(self._networks.landmarks, picture, near, self._rng)
        return look(self._networks, self._head, picture, points, self._pupils_mm)

    def _snapshot(self, seen: list[Seen]) -> Snapshot:
        return snapshot_of(self._networks.units, seen, self._known)


def look(networks: Networks, head: HeadSize, picture: U8, points: F32, pupils_mm: float) -> Seen:
    """Measure a frame.

    Args:
        networks: of the program.
        head: the person's size so far; the frame is added.
        picture: the frame.
        points: (98, 2) that the landmark network found.
        pupils_mm: the person's pupil distance.
    """
    turned, found = estimate_pose(points, model=np.asarray(HEAD_3D)), describe(points)
    assert turned is not None
    assert found is not None
    pose = facing_angles(turned.angles)
    face = seen_from_front(points, pose)
    assert face is not None
    head.add(pupil_scale(face, pupils_mm), face, 0.0)
    lengths = measure_lengths(points, head.scale(face, 0.0), pose)
    return Seen(lengths, pose, found, networks.units.cut(picture, points))


def snapshot_of(units: ActionUnits, seen: list[Seen], known: KnownPerson | None) -> Snapshot:
    """Take the frames of a moment together.

    Args:
        units: the network.
        seen: the frames.
        known: what is known of the person at rest.
    """
    rest, picture = (None, None) if known is None else known
    values = [units.measure(one.found, rest, one.windows, picture) for one in seen]
    sides = {
        unit: Sides(float(np.median([v.left[unit] for v in values])), float(np.median([v.right[unit] for v in values])))
        for unit in units.units
    }
    lengths, midline = _named([one.lengths for one in seen])
    yaw, pitch, roll = np.median([one.pose for one in seen], axis=0).tolist()
    return Snapshot(len(seen), 0, lengths, midline, sides, yaw, pitch, roll)


def _named(measured: list[Millimetres]) -> tuple[dict[str, Sides[float]], dict[str, float]]:
    lengths, midline = {}, {}
    for field in fields(Millimetres):
        values = [getattr(one, field.name) for one in measured]
        if field.name in _MIDLINE:
            midline[field.name] = float(np.median(values))
        elif isinstance(values[0], Sides):
            left, right = np.median(values, axis=0).tolist()
            lengths[field.name] = Sides(left, right)
    return lengths, midline
