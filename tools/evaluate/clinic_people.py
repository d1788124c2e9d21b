"""Examinations of rendered patients: what the program measures on their pictures, and the truth from their exact points."""

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.action_units.descriptor import Descriptor, describe
from realtime.action_units.model import ActionUnits
from realtime.action_units.rest_frame import Windows
from realtime.clinic import Examination, HeadSize, Movement, Repetition, Scale, Snapshot, measure_lengths
from realtime.clinic.frontal import seen_from_front
from realtime.clinic.lip_correction import LipCorrection
from realtime.clinic.scale import pupil_scale
from realtime.clinic.types import MOVEMENTS
from realtime.face.face_model import HEAD_3D
from realtime.face.landmarks import LandmarkModel
from realtime.face.pose import estimate_pose, facing_angles
from realtime.types import Millimetres, Sides
from tools.evaluate.au_people import KnownPerson, with_rest
from tools.evaluate.clinic_renders import Filmed, Moment, sequence
from tools.synth.palsy import Patient
from tools.train.action_units.points import locate_near

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
_MIDLINE = ("philtrum_deviation", "fai")


@dataclass(frozen=True, slots=True)
class Networks:
    """What looks at the pictures.

    Attributes:
        landmarks: the network; None: the exact points of the picture stand in for its answers.
        units: the Action Units'.
        lips: the network's correction of lips; None: points are taken as they are.
    """

    landmarks: LandmarkModel | None
    units: ActionUnits
    lips: LipCorrection | None = None


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


def examine(networks: Networks, film: Filmed) -> Examined:
    """Look at the pictures of a person's examination in the live way.

    Args:
        networks: of the program.
        film: the pictures; Action Units are measured only where all movements were made.
    """
    measured, truth = [], []
    head, units = HeadSize("pupil distance"), networks.units
    moments = iter(film.moments)
    repetitions = list(sequence(film.repetitions, film.movements))
    rests = [next(moments) for movement, _, _ in repetitions if movement == "rest"]
    calm = [_look(networks, head, film.pupils_mm, moment) for moment in rests]
    known = _known(units, [one for seen in calm for one in seen]) if film.movements == MOVEMENTS else None
    for movement, number, parts in repetitions:
        if movement == "rest":
            seen, exact = [calm[number]], [rests[number]]
        else:
            exact = [next(moments) for _ in parts]
            seen = [_look(networks, head, film.pupils_mm, moment) for moment in exact]
        measured.append(
            _repetition(movement, number, [snapshot_of(None if known is None else units, one, known) for one in seen])
        )
        truth.append(_repetition(movement, number, [_true(moment) for moment in exact]))
    patient = film.patient
    blank = Examination(patient.name, patient.affected, "all", "2026-01-01T00:00:00+00:00", "pupil distance")
    return Examined(
        patient,
        replace(blank, finished=True, repetitions=tuple(measured)),
        replace(blank, finished=True, repetitions=tuple(truth)),
    )


def _repetition(movement: Movement, number: int, snapshots: list[Snapshot]) -> Repetition:
    rest, *peak = snapshots
    return Repetition(movement, number + 1, "counted", rest=rest, at_peak=peak[0] if peak else None)


def _look(networks: Networks, head: HeadSize, pupils_mm: float, moment: Moment) -> list[Seen]:
    model = networks.landmarks
    return [
        look(networks, head, picture, moment.drawn if model is None else locate_near(model, picture, near), pupils_mm)
        for picture, near in zip(moment.pictures(), moment.near, strict=True)
    ]


def _known(units: ActionUnits, frames: list[Seen]) -> KnownPerson:
    """What is known of a person at rest from these frames."""
    known = []
    for one in frames:
        units.measure(one.found, None, one.windows)
        assert units.embedding is not None
        known.append((one.found, one.windows, units.embedding))
    return with_rest(known, units.identity)[0]


def _true(moment: Moment) -> Snapshot:
    """What the exact points say."""
    return Snapshot(1, 0, *_named([measure_lengths(moment.exact, Scale(moment.mm, "ruler"), (0.0, 0.0, 0.0))]))


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
    lengths = measure_lengths(points, head.scale(face, 0.0), pose, lips=networks.lips)
    return Seen(lengths, pose, found, networks.units.cut(picture, points))


def snapshot_of(units: ActionUnits | None, seen: list[Seen], known: KnownPerson | None) -> Snapshot:
    """Take the frames of a moment together.

    Args:
        units: the network; None: Action Units are left out.
        seen: the frames.
        known: what is known of the person at rest.
    """
    rest, picture = (None, None) if known is None else known
    values = [] if units is None else [units.measure(one.found, rest, one.windows, picture) for one in seen]
    sides = {
        unit: Sides(float(np.median([v.left[unit] for v in values])), float(np.median([v.right[unit] for v in values])))
        for unit in (() if units is None else units.units)
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
