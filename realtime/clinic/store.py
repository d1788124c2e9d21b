"""examination.json: one examination in a session's folder, written after every repetition, so that a kill loses none."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from realtime import strict_json
from realtime.clinic.types import (
    MOVEMENTS,
    Affected,
    AgeGroup,
    Examination,
    Outcome,
    Repetition,
    Snapshot,
)
from realtime.errors import UserInputError
from realtime.files import one_line, open_regular, reason, write_json
from realtime.types import ScaleSource, Sides

NAME = "examination.json"
SCHEMA = 1
_LARGEST = 16 * 2**20
_K = TypeVar("_K")
_V = TypeVar("_V")
_NAN = float("nan")


def write_examination(folder: Path, examination: Examination) -> Path:
    """Write or replace the examination of a session, atomically.

    Args:
        folder: the session's folder.
        examination: as far as it has come.

    Returns:
        The file.

    Raises:
        DeviceError: the file cannot be written. What was there before stays.
    """
    path = folder / NAME
    write_json(path, as_json(examination))
    return path


def read_examination(folder: Path) -> Examination:
    """Read the examination of a session.

    Args:
        folder: the session's folder.

    Raises:
        UserInputError: there is none, it is damaged, or of a later schema.
    """
    path = folder / NAME
    try:
        with open_regular(path, limit=_LARGEST) as file:
            content = strict_json.loads(file.read().decode("utf-8"))
    except FileNotFoundError:
        raise UserInputError(
            f"{folder} holds no examination: there is no {NAME}; make one with `facemirror-live examine`."
        ) from None
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    except ValueError:
        raise UserInputError(f"{path} is damaged: it holds no JSON.") from None
    try:
        schema = content["schema"]
        if schema != SCHEMA:
            raise UserInputError(
                f"{path} is of schema {one_line(schema)[:40]}; this program reads schema {SCHEMA}: take a newer version."
            )
        return _examination(content)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UserInputError(f"{path} is damaged: {type(error).__name__} {str(error)[:100]}.") from None


def as_json(examination: Examination) -> dict[str, Any]:
    """Give what the file holds. A value that was not measured is null or absent, never 0."""
    return {
        "schema": SCHEMA,
        "person": examination.person,
        "affected": examination.affected,
        "protocol": examination.protocol,
        "begun": examination.begun,
        "scale": examination.scale,
        "age_group": examination.age_group,
        "finished": examination.finished,
        "repetitions": [_repetition_json(one) for one in examination.repetitions],
        "overruled": {name: _number_json(value) for name, value in examination.overruled.items()},
        "versions": dict(examination.versions),
    }


def _repetition_json(one: Repetition) -> dict[str, Any]:
    return {
        "movement": one.movement,
        "number": one.number,
        "outcome": one.outcome,
        "reason": one.reason,
        "started": one.started,
        "onset": one.onset,
        "peak": one.peak,
        "returned": one.returned,
        "ended": one.ended,
        "rest": None if one.rest is None else _snapshot_json(one.rest),
        "at_peak": None if one.at_peak is None else _snapshot_json(one.at_peak),
    }


def _snapshot_json(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "frames": snapshot.frames,
        "sequence": snapshot.sequence,
        "lengths": {name: _sides_json(value) for name, value in snapshot.lengths.items()},
        "midline": {name: _number_json(value) for name, value in snapshot.midline.items()},
        "units": {str(unit): _sides_json(value) for unit, value in snapshot.units.items()},
        "yaw": _number_json(snapshot.yaw),
        "pitch": _number_json(snapshot.pitch),
        "roll": _number_json(snapshot.roll),
    }


def _sides_json(value: Sides[float]) -> dict[str, float | None]:
    return {"left": _number_json(value.left), "right": _number_json(value.right)}


def _number_json(value: float) -> float | None:
    """JSON knows no NaN. Six digits behind the point are finer than any measure, and the same on every machine."""
    return round(float(value), 6) if math.isfinite(value) else None


def _examination(content: Mapping[str, Any]) -> Examination:
    scale = content["scale"]
    return Examination(
        person=_text(content["person"]),
        affected=_one_of(content["affected"], get_args(Affected)),
        protocol=_text(content["protocol"]),
        begun=_text(content["begun"]),
        scale=None if scale is None else _one_of(scale, get_args(ScaleSource)),
        age_group=_one_of(content["age_group"], get_args(AgeGroup)),
        finished=bool(content["finished"]),
        repetitions=tuple(_repetition(one) for one in content["repetitions"]),
        overruled=_mapping(content.get("overruled", {}), _text, strict_json.number),
        versions=_mapping(content.get("versions", {}), _text, _text),
    )


def _repetition(content: Mapping[str, Any]) -> Repetition:
    return Repetition(
        movement=_one_of(content["movement"], MOVEMENTS),
        number=int(strict_json.number(content["number"])),
        outcome=_one_of(content["outcome"], get_args(Outcome)),
        reason=_text(content["reason"]),
        started=strict_json.number(content["started"]),
        onset=_optional(content["onset"]),
        peak=_optional(content["peak"]),
        returned=_optional(content["returned"]),
        ended=_optional(content["ended"]),
        rest=None if content["rest"] is None else _snapshot(content["rest"]),
        at_peak=None if content["at_peak"] is None else _snapshot(content["at_peak"]),
    )


def _snapshot(content: Mapping[str, Any]) -> Snapshot:
    return Snapshot(
        frames=int(strict_json.number(content["frames"])),
        sequence=int(strict_json.number(content["sequence"])),
        lengths=_mapping(content["lengths"], _text, _sides),
        midline=_mapping(content["midline"], _text, _value),
        units=_mapping(content["units"], int, _sides),
        yaw=_value(content["yaw"]),
        pitch=_value(content["pitch"]),
        roll=_value(content["roll"]),
    )


def _mapping(content: Mapping[str, Any], key: Callable[[Any], _K], value: Callable[[Any], _V]) -> dict[_K, _V]:
    return {key(name): value(found) for name, found in content.items()}


def _sides(content: Mapping[str, Any]) -> Sides[float]:
    return Sides(_value(content["left"]), _value(content["right"]))


def _value(content: Any) -> float:
    return _NAN if content is None else strict_json.number(content)


def _optional(content: Any) -> float | None:
    return None if content is None else strict_json.number(content)


def _text(content: Any) -> str:
    if not isinstance(content, str):
        raise ValueError(f"{str(content)[:40]!r} is no text")
    return content


def _one_of(content: Any, known: tuple[_V, ...]) -> _V:
    if content not in known:
        raise ValueError(f"{str(content)[:40]!r} is none of {', '.join(map(str, known))}")
    return known[known.index(content)]
