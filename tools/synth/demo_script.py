"""What the demo's head does, second by second: expression, pose and place as smooth functions of time.

Movements rise and fall like real ones (minimum jerk, 0.35 s), and the person is never quite still between them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.synth.expressions import coefficients
from tools.synth.kit import EXPRESSION_INDEX

F32 = NDArray[np.float32]

FPS = 30
DURATION = 14.6


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement between start and end seconds: unit of tools.synth.expressions at intensities left and right, or a pose.

    pose: yaw, pitch, roll degrees; aside: cm to the image's right. label: what the truth file calls it.
    """

    label: str
    start: float
    end: float
    unit: str = ""
    left: float = 0.0
    right: float = 0.0
    pose: tuple[float, float, float] = (0.0, 0.0, 0.0)
    aside: float = 0.0
    rise: float = 0.35


SCRIPT: tuple[Movement, ...] = (
    Movement("brow_raise", 1.0, 2.1, "brow_raise", 1.0, 1.0),
    Movement("blink", 2.4, 2.65, "blink", 1.06, 1.06, rise=0.11),
    Movement("eye_closure", 2.9, 4.0, "blink", 1.06, 1.06),
    Movement("smile_left", 4.3, 5.4, "smile", 1.0, 0.0),
    Movement("full_smile", 5.6, 6.8, "open_smile", 1.0, 1.0),
    Movement("snarl", 7.0, 8.0, "snarl", 1.0, 1.0),
    Movement("pucker", 8.2, 9.2, "pucker", 1.0, 1.0),
    Movement("jaw_open", 9.4, 10.4, "jaw", 0.6, 0.6),
    Movement("turn_left", 10.6, 11.5, pose=(25.0, 0.0, 2.0)),
    Movement("turn_right", 11.4, 12.3, pose=(-25.0, 0.0, -2.0)),
    Movement("out_of_frame", 12.4, 14.2, aside=62.0, pose=(8.0, 0.0, 0.0), rise=0.65),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """expression (57,), pose in degrees, shift (3,) cm in the camera frame, and the label of the movement under way."""

    expression: F32
    pose: tuple[float, float, float]
    shift: tuple[float, float, float]
    label: str


def ease(x: float) -> float:
    """Minimum-jerk step: 0 at 0, 1 at 1, no speed and no acceleration at either end."""
    x = min(max(x, 0.0), 1.0)
    return x * x * x * (10 - 15 * x + 6 * x * x)


def envelope(time: float, start: float, end: float, rise: float) -> float:
    """How far a movement is made at `time`: up within `rise` s, held, down within `rise` s before its end."""
    return ease((time - start) / rise) * ease((end - time) / rise)


def moment(time: float) -> Moment:
    """The head at a time in seconds."""
    expression = np.zeros(len(EXPRESSION_INDEX), np.float32)
    pose = np.zeros(3)
    aside = 0.0
    label, most = "neutral", 0.02
    for movement in SCRIPT:
        done = envelope(time, movement.start, movement.end, movement.rise)
        if done <= 0:
            continue
        if movement.unit:
            expression = np.maximum(expression, done * coefficients(movement.unit, movement.left, movement.right))
        pose += done * np.array(movement.pose)
        aside += done * movement.aside
        if done > most:
            label, most = movement.label, done
    pose += _sway(time)
    _rest(time, expression)
    bob = 0.15 * np.sin(2 * np.pi * time / 3.7)
    return Moment(expression, (float(pose[0]), float(pose[1]), float(pose[2])), (aside, float(bob), 0.0), label)


def _sway(time: float) -> NDArray[np.float64]:
    """A sitting person's small turns, degrees."""
    return np.array(
        [
            0.9 * np.sin(2 * np.pi * time / 4.3) + 0.3 * np.sin(2 * np.pi * time / 1.7),
            0.6 * np.sin(2 * np.pi * time / 5.1 + 1.0),
            0.5 * np.sin(2 * np.pi * time / 6.3 + 2.0),
        ]
    )


def _rest(time: float, expression: F32) -> None:
    """Lids as they hang in an awake face, and small glances of both eyes together, in steps as eyes move."""
    for side in "LR":
        for name, share in (("eyeBlink", 0.13), ("eyeSquint", 0.15)):
            i = EXPRESSION_INDEX[f"{name}_{side}"]
            expression[i] = max(float(expression[i]), share)
    steps = np.array([0.0, 0.06, -0.04, 0.08, 0.0, -0.07, 0.03])
    i = int(time / 0.9)
    blend = ease((time / 0.9 - i) / 0.08)
    across = float(steps[i % 7] * blend + steps[(i - 1) % 7] * (1 - blend))
    expression[EXPRESSION_INDEX["eyeLookOut_L"]] = expression[EXPRESSION_INDEX["eyeLookIn_R"]] = max(across, 0.0)
    expression[EXPRESSION_INDEX["eyeLookIn_L"]] = expression[EXPRESSION_INDEX["eyeLookOut_R"]] = max(-across, 0.0)
