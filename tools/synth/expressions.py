"""Which faces are made: expression coefficients with left and right apart, from neutral to grimace.

Intensities run from 0 to 1 and now and then a little beyond. Every movement comes alone on one side, alone on both, and
in combinations; lids close fully and by halves; the mouth may be crooked.
"""

import numpy as np
from numpy.typing import NDArray

from tools.synth.kit import EXPRESSION_INDEX

F32 = NDArray[np.float32]

# Movements as a face makes them: {expression without side: share}. Those in _BOTH_SIDES have no side in the kit.
UNITS: dict[str, dict[str, float]] = {
    "brow_raise": {"browInnerUp": 0.9, "browOuterUp": 1.0},
    "inner_brow": {"browInnerUp": 1.0},
    "outer_brow": {"browOuterUp": 1.0},
    "frown_brow": {"browDown": 1.0},
    "blink": {"eyeBlink": 1.0},
    "squint": {"eyeSquint": 1.0},
    "wide": {"eyeWide": 1.0},
    "cheek": {"cheekSquint": 1.0},
    "cheek_raise": {"cheekRaiser": 1.0},
    "puff": {"cheekPuff": 1.0},
    "smile": {"mouthSmile": 1.0, "cheekSquint": 0.5, "eyeSquint": 0.3},
    "closed_smile": {"mouthSmile": 0.8, "mouthPress": 0.3},
    "open_smile": {"mouthSmile": 1.0, "mouthUpperUp": 0.5, "mouthLowerDown": 0.4, "cheekSquint": 0.6, "eyeSquint": 0.3},
    "snarl": {"noseSneer": 1.0, "mouthUpperUp": 0.8, "browDown": 0.3},
    "sneer": {"noseSneer": 1.0},
    "upper_lip": {"mouthUpperUp": 1.0},
    "lower_lip": {"mouthLowerDown": 1.0},
    "dimple": {"mouthDimple": 1.0},
    "depress": {"mouthFrown": 1.0},
    "stretch": {"mouthStretch": 1.0},
    "press": {"mouthPress": 1.0},
    "pain": {
        "browDown": 0.8,
        "eyeSquint": 0.9,
        "cheekSquint": 0.8,
        "noseSneer": 0.6,
        "mouthUpperUp": 0.4,
        "eyeBlink": 0.4,
    },
}
MIDDLE_UNITS: dict[str, dict[str, float]] = {
    "jaw": {"jawOpen": 1.0},
    "jaw_closed_lips": {"jawOpen": 0.35, "mouthClose": 0.33},
    "jaw_left": {"jawLeft": 1.0},
    "jaw_right": {"jawRight": 1.0},
    "jaw_forward": {"jawForward": 1.0},
    "pucker": {"mouthPucker": 1.0},
    "funnel": {"mouthFunnel": 1.0},
    "mouth_left": {"mouthLeft": 1.0},
    "mouth_right": {"mouthRight": 1.0},
    "roll_lower": {"mouthRollLower": 1.0},
    "roll_upper": {"mouthRollUpper": 1.0},
    "shrug_lower": {"mouthShrugLower": 1.0},
    "shrug_upper": {"mouthShrugUpper": 1.0},
    "kiss": {"mouthPucker": 0.8, "mouthFunnel": 0.3},
    "surprise_mouth": {"jawOpen": 0.6, "mouthFunnel": 0.3},
}


def coefficients(unit: str, left: float, right: float) -> F32:
    """Coefficients (57,) of one movement at intensities of the patient's left and right side.

    A movement without sides takes the mean of both.
    """
    out = np.zeros(len(EXPRESSION_INDEX), np.float32)
    if unit in UNITS:
        for name, share in UNITS[unit].items():
            out[EXPRESSION_INDEX[f"{name}_L"]] = share * left
            out[EXPRESSION_INDEX[f"{name}_R"]] = share * right
    else:
        for name, share in MIDDLE_UNITS[unit].items():
            out[EXPRESSION_INDEX[name]] = share * (left + right) / 2
    return out


def random_expression(rng: np.random.Generator) -> F32:
    """A random face (57,), gaze and pupils included."""
    kind = rng.random()
    out = np.zeros(len(EXPRESSION_INDEX), np.float32)
    if kind < 0.10:
        pass
    elif kind < 0.40:
        out = _sided(rng, _pick(rng))
    else:
        for _ in range(int(rng.integers(2, 6))):
            out = np.maximum(out, _sided(rng, _pick(rng)) * np.float32(rng.uniform(0.3, 1.0)))
    if rng.random() < 0.25:
        out = np.maximum(out, _sided(rng, "blink", together=0.75))
    if rng.random() < 0.25:
        out = np.maximum(out, coefficients("jaw", *(2 * [float(rng.beta(1.2, 2.5))])))
    if rng.random() < 0.5:
        # Nobody is perfectly still: a trace of everything, each side by itself.
        trace = rng.exponential(0.03, len(out)) * (rng.random(len(out)) < 0.4)
        out = np.maximum(out, np.minimum(trace, 0.15).astype(np.float32))
    if rng.random() < 0.7:
        # The kit's neutral stares: in an awake, relaxed face the lids hang a little.
        out = np.maximum(out, _hanging_lids(rng))
    return settle(with_gaze(rng, out))


EXERCISES = (
    *("brow_raise", "inner_brow", "outer_brow", "frown_brow", "blink", "squint", "wide", "cheek_raise", "smile"),
    *("open_smile", "snarl", "sneer", "upper_lip", "dimple", "depress", "stretch", "press"),
    *("jaw", "pucker", "shrug_lower"),
)


def exercise(rng: np.random.Generator) -> F32:
    """A face (57,) as somebody makes it who is asked for one to three movements: any strength, on one side or on both."""
    out = np.zeros(len(EXPRESSION_INDEX), np.float32)
    for unit in rng.choice(EXERCISES, int(rng.integers(1, 4)), replace=False):
        strength, share = float(rng.uniform(0.1, 1)), rng.random()
        weak = strength if share < 0.45 else 0.0 if share < 0.75 else strength * float(rng.uniform(0, 1))
        sides = (strength, weak) if rng.random() < 0.5 else (weak, strength)
        out = np.maximum(out, coefficients(str(unit), *sides))
    return settle(with_gaze(rng, np.maximum(out, _hanging_lids(rng))))


SQUEEZE = {
    "browDown": 0.8,
    "cheekSquint": 0.9,
    "cheekRaiser": 0.6,
    "noseSneer": 0.5,
    "mouthUpperUp": 0.3,
    "mouthSmile": 0.25,
    "eyeSquint": 1.0,
}
"""What goes with an eye that is shut as hard as can be, on its side: {expression without side: share}."""


def shut_eyes(rng: np.random.Generator) -> F32:
    """A face (57,) that shuts one eye or both, each by itself, gently or squeezed; the other eye may narrow with it."""
    out = np.zeros(len(EXPRESSION_INDEX), np.float32)
    if rng.random() < 0.2:
        out = coefficients(str(rng.choice(EXERCISES)), *rng.uniform(0, 0.8, 2).tolist())
    both = rng.random() < 0.3
    sides = "LR" if rng.random() < 0.5 else "RL"
    for number, side in enumerate(sides):
        hard = 0.0 if rng.random() < 0.4 else float(rng.uniform(0.2, 1.0))
        shut = float(rng.uniform(0.7, 1.0)) if rng.random() < 0.7 else float(rng.uniform(0.2, 0.8))
        if number == 1 and not both:
            hard, shut = 0.35 * hard, float(rng.uniform(0, 0.45)) if rng.random() < 0.6 else 0.0
        put = {"eyeBlink": shut, **{name: share * hard for name, share in SQUEEZE.items()}}
        for name, value in put.items():
            out[EXPRESSION_INDEX[f"{name}_{side}"]] = max(float(out[EXPRESSION_INDEX[f"{name}_{side}"]]), value)
    return settle(with_gaze(rng, np.maximum(out, _hanging_lids(rng))))


SMILES = {"open_smile": 0.4, "smile": 0.25, "closed_smile": 0.15, "snarl": 0.06, "stretch": 0.08, "dimple": 0.06}
"""Movements that take the mouth's corners far, and how often each is asked for."""


def unequal_rest(rng: np.random.Generator) -> F32:
    """A face (57,) at rest: in half of the people one side hangs a little, its eye wider, the mouth drawn to the other side."""
    out = _hanging_lids(rng)
    if rng.random() < 0.5:
        side, slack = ("L" if rng.random() < 0.5 else "R"), float(rng.uniform(0, 1))
        out[EXPRESSION_INDEX[f"eyeWide_{side}"]] = 0.35 * slack
        out[EXPRESSION_INDEX[f"mouthFrown_{side}"]] = 0.4 * slack
        out[EXPRESSION_INDEX["mouthRight" if side == "L" else "mouthLeft"]] = 0.15 * slack
    return settle(with_gaze(rng, out))


def far_smile(rng: np.random.Generator, rest: F32) -> F32:
    """A face (57,) whose mouth's corners go far, mostly as far as they can: both, one alone, or one less far than the other.

    rest: the same person at rest. An eye may close with the movement, the jaw may open.
    """
    unit = str(rng.choice(list(SMILES), p=list(SMILES.values())))
    strength = float(rng.uniform(0.7, 1.08) if rng.random() < 0.65 else rng.uniform(0.1, 0.7))
    share = rng.random()
    weak = strength * (float(rng.uniform(0.9, 1)) if share < 0.4 else 0.0 if share < 0.75 else float(rng.uniform(0, 1)))
    left_first = rng.random() < 0.5
    out = np.maximum(rest, coefficients(unit, *((strength, weak) if left_first else (weak, strength))))
    if rng.random() < 0.25:
        shut = f"eyeBlink_{'R' if left_first else 'L'}"
        out[EXPRESSION_INDEX[shut]] = max(float(out[EXPRESSION_INDEX[shut]]), float(rng.uniform(0.2, 0.9)))
    if rng.random() < 0.2:
        out = np.maximum(out, coefficients("jaw", *(2 * [float(rng.beta(1.2, 3.0))])))
    return settle(with_gaze(rng, out))


def difficult(rng: np.random.Generator) -> F32:
    """A face (57,) that is hard to read: a jaw that opens under a smile, a lowered brow, pressed lips, or lids half shut, with others.

    Each comes about as often as every other one; what goes with it makes it hard: teeth under a smile, a squint under a brow.
    """
    kind = rng.random()
    out = np.zeros(len(EXPRESSION_INDEX), np.float32)

    def add(unit: str, strength: float) -> None:
        nonlocal out
        weak = strength * (1.0 if rng.random() < 0.45 else float(rng.uniform(0, 1)))
        out = np.maximum(out, coefficients(unit, *((strength, weak) if rng.random() < 0.5 else (weak, strength))))

    if kind < 0.4:
        add(str(rng.choice(["open_smile", "smile", "stretch", "upper_lip"])), float(rng.uniform(0.3, 1)))
        if rng.random() < 0.5:
            add("lower_lip", float(rng.uniform(0.2, 1)))
        if rng.random() < 0.75:
            jaw = float(rng.uniform(0, 0.45) if rng.random() < 0.7 else rng.uniform(0.3, 0.9))
            out = np.maximum(out, coefficients("jaw", jaw, jaw))
        if rng.random() < 0.3:
            add("cheek_raise", float(rng.uniform(0.3, 1)))
    elif kind < 0.62:
        add("frown_brow", float(rng.uniform(0.1, 1)))
        if rng.random() < 0.6:
            add(
                str(rng.choice(["squint", "inner_brow", "outer_brow", "blink", "sneer", "cheek_raise"])),
                float(rng.uniform(0.1, 1)),
            )
    elif kind < 0.8:
        add("press", float(rng.uniform(0.2, 1)))
        if rng.random() < 0.6:
            add(
                str(rng.choice(["closed_smile", "dimple", "depress", "shrug_lower", "stretch"])),
                float(rng.uniform(0.1, 0.8)),
            )
    else:
        add("blink", float(rng.uniform(0.1, 1)))
        if rng.random() < 0.6:
            add(
                str(rng.choice(["squint", "brow_raise", "frown_brow", "cheek_raise", "smile"])),
                float(rng.uniform(0.1, 1)),
            )
    return settle(with_gaze(rng, np.maximum(out, _hanging_lids(rng))))


def _hanging_lids(rng: np.random.Generator) -> F32:
    return coefficients("blink", *(2 * [float(rng.uniform(0, 0.25))]))


def _pick(rng: np.random.Generator) -> str:
    names = list(UNITS) if rng.random() < 0.72 else list(MIDDLE_UNITS)
    return names[int(rng.integers(len(names)))]


def _sided(rng: np.random.Generator, unit: str, together: float = 0.45) -> F32:
    strength = float(np.clip(rng.beta(1.3, 1.0) * 1.08, 0, 1.08))
    where = rng.random()
    if where < together:
        return coefficients(unit, strength, strength)
    weak = strength * float(rng.uniform(0, 1)) if rng.random() < 0.5 else 0.0
    return coefficients(unit, strength, weak) if rng.random() < 0.5 else coefficients(unit, weak, strength)


def with_gaze(rng: np.random.Generator, expression: F32) -> F32:
    """The same face looking somewhere: both eyes together, coefficients of eyeLook* and pupils filled in."""
    out = expression.copy()
    across, up = np.clip(rng.normal(0, 0.35, 2), -1, 1)
    put = {
        "eyeLookOut_L": max(across, 0),
        "eyeLookIn_R": max(across, 0),
        "eyeLookIn_L": max(-across, 0),
        "eyeLookOut_R": max(-across, 0),
        **{f"eyeLookUp_{s}": max(up, 0) for s in "LR"},
        **{f"eyeLookDown_{s}": max(-up, 0) for s in "LR"},
    }
    for name, value in put.items():
        out[EXPRESSION_INDEX[name]] = value
    return out


def settle(expression: F32) -> F32:
    """Take out what cancels or tears the mesh: a lid cannot be wide and shut, nor pucker go with a full smile."""
    out = np.clip(expression, 0, 1.1).astype(np.float32)
    for side in "LR":
        blink = out[EXPRESSION_INDEX[f"eyeBlink_{side}"]]
        # A squint stays: lids can be tightened while they are shut (`moved_by`).
        for name in ("eyeWide", "eyeLookDown", "eyeLookUp"):
            out[EXPRESSION_INDEX[f"{name}_{side}"]] *= max(0.0, 1 - float(blink))
        brow = out[EXPRESSION_INDEX[f"browDown_{side}"]]
        for name in ("browInnerUp", "browOuterUp"):
            out[EXPRESSION_INDEX[f"{name}_{side}"]] *= 1 - 0.6 * min(float(brow), 1.0)
    closed = out[EXPRESSION_INDEX["mouthClose"]]
    out[EXPRESSION_INDEX["mouthClose"]] = min(closed, out[EXPRESSION_INDEX["jawOpen"]])
    tight = max(float(out[EXPRESSION_INDEX[n]]) for n in ("mouthPucker", "mouthFunnel"))
    for name in ("mouthSmile", "mouthStretch", "mouthDimple"):
        for side in "LR":
            out[EXPRESSION_INDEX[f"{name}_{side}"]] *= 1 - 0.6 * min(tight, 1.0)
    return out


SQUINT = 1.6
"""The kit's full eyeSquint hardly narrows an eye; people tighten their lids by more."""


def moved_by(expression: F32) -> F32:
    """Coefficients (57,) by which the mesh moves: a squint is drawn stronger, and moves no lid that is shut already."""
    out = expression.copy()
    for side in "LR":
        shut = min(float(expression[EXPRESSION_INDEX[f"eyeBlink_{side}"]]), 1.0)
        out[EXPRESSION_INDEX[f"eyeSquint_{side}"]] *= SQUINT * (1 - shut)
    return out


def gaze_directions(expression: F32) -> F32:
    """Unit gaze (2, 3) of the right and the left eye in the head frame: full eyeLook is 30 degrees across, 25 up or down.

    At rest the eyes look 9 degrees below the head's straight ahead: there the kit's lids are made for them to be.
    """
    out = np.zeros((2, 3), np.float32)
    for row, side in enumerate("RL"):
        value = {n: float(expression[EXPRESSION_INDEX[f"eyeLook{n}_{side}"]]) for n in ("In", "Out", "Up", "Down")}
        outward = np.deg2rad(30) * (value["Out"] - value["In"])
        across = outward if side == "L" else -outward
        up = np.deg2rad(25 * (value["Up"] - value["Down"]) - 9)
        out[row] = np.sin(across) * np.cos(up), np.sin(up), np.cos(across) * np.cos(up)
    return out
