"""Rendered people with a facial palsy of known strength: every movement of an examination, one side weakened, with synkinesis.

The affected side makes `gain` of what the healthy side makes, in each of three zones; at rest its eye is wide and its corner hangs,
the more the weaker it is. Movements that have no sides in the kit (the pucker) are made by each half of the mesh by itself.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from realtime.clinic import Movement
from realtime.face.pose import HEAD_PITCH_ZERO
from tools.synth.camera import Camera, project, rotation, to_camera
from tools.synth.expressions import SQUEEZE, coefficients, gaze_directions, moved_by, with_gaze
from tools.synth.heads import Head
from tools.synth.kit import EXPRESSION_INDEX, EXPRESSION_NAMES, Kit
from tools.synth.points import place, point_model
from tools.synth.raster import vertex_normals

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Zone = Literal["brow", "eye", "mouth"]
ZONES: tuple[Zone, ...] = ("brow", "eye", "mouth")
GAINS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""What the affected side makes of a movement; clinicians would call them none, slight, mild, almost complete and complete."""
_UNSIDED = ("mouthPucker", "mouthFunnel")
FACING = rotation(0.0, HEAD_PITCH_ZERO, 0.0)
"""Turns the kit's head so that it looks straight ahead as people do: turns of a patient come on top of it."""
# Half width of the strip about the midline in which one half of the mouth becomes the other, cm.
_BLEND = 1.2


@dataclass(frozen=True, slots=True)
class Patient:
    """A person and how the face moves.

    Attributes:
        name: tells people apart.
        head: whose photograph the skin is.
        affected: "left", "right" or "none".
        gain: of the affected side, by zone; 1 is healthy.
        oral_ocular: by how much the affected eye shuts in a full smile or pucker, 0..1.
        ocular_oral: by how much the affected corner is pulled in eye closure, 0..1.
        strength: how far this person makes each movement.
        unevenness: how far the left side's share of it differs from the right's in a healthy face.
    """

    name: str
    head: Head
    affected: Literal["left", "right", "none"]
    gain: dict[Zone, float]
    oral_ocular: float
    ocular_oral: float
    strength: float
    unevenness: float


def random_patient(rng: np.random.Generator, name: str, head: Head, *, healthy: bool) -> Patient:
    """A healthy person, or one with a palsy of one side; half of those with some movement have synkinesis, of either kind."""
    gains = {zone: 1.0 if healthy else float(rng.choice(GAINS[:4])) for zone in ZONES}
    moving = not healthy and gains["mouth"] > 0
    return Patient(
        name,
        head,
        "none" if healthy else ("left" if rng.random() < 0.5 else "right"),
        gains,
        float(rng.uniform(0.35, 0.8)) if moving and rng.random() < 0.5 else 0.0,
        float(rng.uniform(0.35, 0.8)) if moving and rng.random() < 0.5 else 0.0,
        float(rng.uniform(0.8, 1.0)),
        float(rng.normal(0, 0.03)),
    )


_ZONE_OF: dict[Movement, Zone] = {
    "brow_raise": "brow",
    "gentle_closure": "eye",
    "tight_closure": "eye",
    "open_smile": "mouth",
    "closed_smile": "mouth",
    "snarl": "mouth",
    "pucker": "mouth",
    "eee": "mouth",
}


def expression_of(patient: Patient, movement: Movement, rng: np.random.Generator) -> F32:
    """Coefficients (57,) at a movement's peak. The pucker's are those of the healthy half: see `kit_of`."""
    left, right = _sides(patient, _ZONE_OF[movement]) if movement != "rest" else (0.0, 0.0)
    out = with_gaze(rng, np.zeros(len(EXPRESSION_NAMES), np.float32)) * np.float32(0.3)
    out = np.maximum(out, at_rest(patient))
    if movement == "brow_raise":
        out = np.maximum(out, coefficients("brow_raise", left, right))
    elif movement in ("gentle_closure", "tight_closure"):
        out = np.maximum(out, coefficients("blink", min(1.04 * left, 1.04), min(1.04 * right, 1.04)))
        if movement == "tight_closure":
            for side, value in zip("LR", (left, right), strict=True):
                for part in ("browDown", "cheekSquint", "noseSneer"):
                    i = EXPRESSION_INDEX[f"{part}_{side}"]
                    out[i] = max(float(out[i]), 0.7 * SQUEEZE[part] * value)
    elif movement in ("open_smile", "closed_smile", "snarl"):
        out = np.maximum(out, coefficients(movement, left, right))
    elif movement == "pucker":
        out[EXPRESSION_INDEX["mouthPucker"]] = 0.9 * patient.strength
    elif movement == "eee":
        for unit, share in (("stretch", 0.6), ("lower_lip", 0.8)):
            out = np.maximum(out, coefficients(unit, share * left, share * right))
    return _shut_lids_do_not_stare(_with_synkinesis(patient, movement, out))


def at_rest(patient: Patient) -> F32:
    """Coefficients (57,) of the face at rest: lids as they hang, and what the palsy does to the affected side."""
    out = np.maximum(coefficients("blink", 0.1, 0.1), coefficients("squint", 0.1, 0.1))
    if patient.affected != "none":
        side = patient.affected[0].upper()
        eye, mouth = 1 - patient.gain["eye"], 1 - patient.gain["mouth"]
        out[EXPRESSION_INDEX[f"eyeWide_{side}"]] = 0.35 * eye
        out[EXPRESSION_INDEX[f"eyeBlink_{side}"]] *= 1 - eye
        out[EXPRESSION_INDEX[f"mouthFrown_{side}"]] = 0.4 * mouth
        out[EXPRESSION_INDEX["mouthRight" if side == "L" else "mouthLeft"]] = 0.15 * mouth
    return out


def _sides(patient: Patient, zone: Zone) -> tuple[float, float]:
    full = patient.strength
    left, right = full * (1 + patient.unevenness), full * (1 - patient.unevenness)
    weak = patient.gain[zone]
    return left * (weak if patient.affected == "left" else 1), right * (weak if patient.affected == "right" else 1)


def _with_synkinesis(patient: Patient, movement: Movement, expression: F32) -> F32:
    if patient.affected == "none":
        return expression
    side = patient.affected[0].upper()
    out = expression.copy()
    if movement in ("open_smile", "closed_smile", "pucker"):
        name, value = f"eyeBlink_{side}", patient.oral_ocular
    elif movement in ("gentle_closure", "tight_closure"):
        name, value = f"mouthSmile_{side}", patient.ocular_oral
    else:
        return out
    out[EXPRESSION_INDEX[name]] = max(float(out[EXPRESSION_INDEX[name]]), value * patient.strength)
    return out


def _shut_lids_do_not_stare(expression: F32) -> F32:
    """A lid cannot be wide and shut: the wide eye of rest gives way as it closes."""
    for side in "LR":
        shut = float(expression[EXPRESSION_INDEX[f"eyeBlink_{side}"]])
        for name in ("eyeWide", "eyeSquint"):
            expression[EXPRESSION_INDEX[f"{name}_{side}"]] *= max(0.0, 1 - shut)
    return expression


def kit_of(kit: Kit, patient: Patient) -> Kit:
    """The kit in which movements without sides are made by each half of the face with its own strength."""
    left, right = _sides(patient, "mouth")
    across = np.clip(kit.neutral[:, 0] / _BLEND, -1, 1)
    share = 0.5 + 0.25 * across * (3 - across * across)  # 0 on the right, 1 on the left, smooth between
    weight = (right + (left - right) * share)[:, None].astype(np.float32) / patient.strength
    shapes = kit.expression.copy()
    for name in _UNSIDED:
        shapes[EXPRESSION_INDEX[name]] *= weight
    return replace(kit, expression=shapes)


def exact_points(kit: Kit, patient: Patient, expression: F32) -> tuple[F32, float]:
    """The 98 points (98, 2) px as seen from the front, from so far that nothing is foreshortened, and millimetres of a pixel."""
    distance, focal = 1000.0, 20_000.0
    camera = Camera(focal, (0.0, 0.0))
    matrix, translation = FACING, np.array([0.0, 0.0, distance])
    vertices = kit.shape(patient.head.identity, moved_by(expression))
    seen = to_camera(vertices, matrix, translation)
    points = place(
        point_model(kit), seen, vertex_normals(seen, kit.triangles), project(seen, camera), patient.head.brows
    )
    centres, radii = _eyeballs(kit, vertices)
    pupils = to_camera(centres + gaze_directions(expression) * radii[:, None], matrix, translation)
    points[96:98] = project(pupils, camera)
    return points, 10 * distance / focal


def _eyeballs(kit: Kit, vertices: F32) -> tuple[F32, F32]:
    balls = [vertices[slice(*kit.part_vertices[part])] for part in ("eye_right", "eye_left")]
    centres = np.array([(ball.min(0) + ball.max(0)) / 2 for ball in balls], np.float32)
    return centres, np.array([(ball.max(0) - ball.min(0))[:2].mean() / 2 for ball in balls], np.float32)
