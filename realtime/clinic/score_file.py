"""The scores of an examination as JSON, with what the clinician overruled beside each estimate.

The file lies beside the session's folder, as reports do, so that the session's manifest stays true.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from realtime import strict_json
from realtime.clinic.items import Item, Score
from realtime.clinic.scores import Scores
from realtime.clinic.sheet_rows import Measure
from realtime.clinic.statistics import Spread
from realtime.clinic.synkinesis import GRADES, Cell
from realtime.clinic.types import Examination
from realtime.errors import UserInputError
from realtime.files import one_line, open_regular, reason, write_json
from realtime.types import Sides

FORMAT = 1
_LARGEST = 2**22


def score_file(session: Path) -> Path:
    """Where the scores of a session's examination lie."""
    session = session.resolve()
    return session.with_name(f"{session.name}-scores.json")


def write_scores(path: Path, examination: Examination, found: Scores, rows: list[Measure]) -> None:
    """Replace the file.

    Args:
        path: of the file.
        examination: that is scored.
        found: the scores.
        rows: the measures, as a table.

    Raises:
        DeviceError: it cannot be written.
    """
    write_json(path, as_json(examination, found, rows))


def read_overruled(path: Path) -> Mapping[str, float]:
    """What the clinician overruled; empty where there is no such file.

    Raises:
        UserInputError: the file is damaged or of another format.
    """
    try:
        with open_regular(path, limit=_LARGEST) as file:
            content = strict_json.loads(file.read().decode("utf-8"))
        if content["format"] != FORMAT:
            raise UserInputError(
                f"{path} is of format {one_line(content['format'])[:20]}; this program reads {FORMAT}."
            )
        found = {str(name): strict_json.number(value) for name, value in content["overruled"].items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserInputError(f"{path} is damaged: it holds no scores; move it away to begin anew.") from None
    if not all(math.isfinite(value) for value in found.values()):
        raise UserInputError(f"{path} is damaged: an overruled value is no number.")
    return found


def as_json(examination: Examination, found: Scores, rows: list[Measure]) -> dict[str, Any]:
    """Give what the file holds. A value that could not be had is null and has its reason.

    Args:
        examination: that is scored.
        found: the scores.
        rows: the measures, as a table.
    """
    return {
        "format": FORMAT,
        "person": examination.person,
        "begun": examination.begun,
        "affected": examination.affected,
        "overruled": dict(examination.overruled),
        "scales": {score.name: _score(score) for score in found.scales},
        "synkinesis": [_cell(cell) for cell in found.synkinesis.cells],
        "measures": {row.name: _measure(row) for row in rows},
        "versions": dict(examination.versions),
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "title": score.title,
        "estimate": score.estimate,
        "items": {item.name: _item(item) for item in score.items},
        "totals": {item.name: _item(item) for item in score.totals},
    }


def _item(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = {"term": item.term, "value": _number(item.value), "overruled": _number(item.overruled)}
    if item.used is None:
        found |= {"reason": item.reason, "least": _number(item.least), "most": _number(item.most)}
    return found | {"repetitions": _spread(item.spread)}


def _measure(row: Measure) -> dict[str, Any]:
    sides = {side: _spread(value) for side, value in zip(("left", "right"), row.sides, strict=True)}
    return {"term": row.term, "unit": row.unit, **sides} | ({"reason": row.reason} if row.reason else {})


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "movement": cell.movement,
        "region": cell.region,
        **_sides(cell.moved),
        "threshold": _number(cell.threshold),
        "belongs_to_movement": cell.intended,
        "side": cell.side,
        "grade": None if cell.grade is None else GRADES[cell.grade],
    }


def _sides(value: Sides[float]) -> dict[str, float | None]:
    return {"left": _number(value.left), "right": _number(value.right)}


def _spread(value: Spread | None) -> dict[str, float | int | None] | None:
    if value is None:
        return None
    return {
        "mean": _number(value.mean),
        "sd": _number(value.sd),
        "count": value.count,
        "sem": _number(value.sem),
        "sdc95": _number(value.sdc),
        "sdc95_of_mean": _number(value.sdc_of_mean),
    }


def _number(value: float | None) -> float | None:
    return round(value, 4) if value is not None and math.isfinite(value) else None
