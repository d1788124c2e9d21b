"""What changed between two runs of one measurement, beyond its noise.

`python -m tools.bench compare OLD.json NEW.json [--noise 2] [--least 0.03] [--unknown 0.15]`: both written by `--json`. A figure
has changed where the medians differ by more than `--noise` times the spread of both files' rounds (the standard deviation of one
round, estimated from the range), and by at least `--least` of the old value. Where a file holds no rounds its spread is unknown,
and only a change beyond `--unknown` counts. Exit code 1 where something became worse, 2 where the files cannot be compared.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime.errors import UserInputError
from tools.bench.surroundings import Surroundings
from tools.bench.timing import Report

_RANGE = {2: 1.128, 3: 1.693, 4: 2.059, 5: 2.326, 6: 2.534, 7: 2.704, 8: 2.847, 9: 2.970, 10: 3.078}
"""Expected range of n normal values in standard deviations (d2 of control charts)."""
_LESS_IS_BETTER = {"ms", "s", "MB", "%", "cores", "us"}
_MORE_IS_BETTER = {"fps", "x", "1/s"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts as a change.

    Attributes:
        noise: in standard deviations of the difference of two rounds.
        least: share of the old value.
        unknown: the same where the spread is unknown.
    """

    noise: float = 2.0
    least: float = 0.03
    unknown: float = 0.15


@dataclass(frozen=True, slots=True)
class Change:
    """One figure in both files.

    Attributes:
        name: of the figure.
        unit: of both values.
        old: value.
        new: value.
        limit: the difference beyond which it has changed.
        verdict: "better", "worse", "changed" (nothing says which way is better) or "".
    """

    name: str
    unit: str
    old: float
    new: float
    limit: float
    verdict: str

    @property
    def share(self) -> float:
        """By how much of the old value it changed."""
        return (self.new - self.old) / abs(self.old) if self.old else math.inf


def run(arguments: Sequence[str] = ()) -> Report:
    """Compare two files.

    Args:
        arguments: see the module.

    Raises:
        UserInputError: a file cannot be read, or they hold other measurements.
    """
    usual = Limits()
    parser = argparse.ArgumentParser(prog="python -m tools.bench compare", description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--noise", type=float, default=usual.noise)
    parser.add_argument("--least", type=float, default=usual.least)
    parser.add_argument("--unknown", type=float, default=usual.unknown)
    options = parser.parse_args(arguments)
    old, new = _read(options.old), _read(options.new)
    limits = Limits(options.noise, options.least, options.unknown)
    report = Report(f"compare: {old['title']}")
    _refuse_other_measurement(old, new)
    for what in ("processor", "cores", "machine", "python"):
        if old.get(what) != new.get(what):
            report.notes.append(f"  not the same {what}: {old.get(what)}, then {new.get(what)}: expect differences")
    report.notes += [
        f"  the {which} file: {around.sentence()}"
        for which, around in (("old", _surroundings(old)), ("new", _surroundings(new)))
        if around is not None and around.notable
    ]
    for change in changes(old["figures"], new["figures"], limits):
        words = f"{change.verdict or 'as before'} ({change.share:+.1%}, noise up to {change.limit:.2g})"
        report.add(f"{change.name}: old", change.old, change.unit)
        report.add(f"{change.name}: new", change.new, change.unit, words, met=change.verdict != "worse")
    report.notes += [f"  only in the old file: {name}" for name in old["figures"] if name not in new["figures"]]
    report.notes += [f"  only in the new file: {name}" for name in new["figures"] if name not in old["figures"]]
    return report


def changes(old: Mapping[str, Any], new: Mapping[str, Any], limits: Limits) -> list[Change]:
    """What both files measured.

    Args:
        old: figures by name, as `Report.as_dict` writes them.
        new: likewise.
        limits: what counts as a change.
    """
    found = []
    for name, before in old.items():
        after = new.get(name)
        if after is None or before["value"] is None:
            continue
        if after["value"] is None:
            found.append(Change(name, before["unit"], before["value"], math.nan, 0.0, "worse"))
            continue
        limit = _limit(before, after, limits)
        difference = after["value"] - before["value"]
        verdict = _verdict(difference, before) if abs(difference) > limit else ""
        found.append(Change(name, before["unit"], before["value"], after["value"], limit, verdict))
    return found


def _limit(before: Mapping[str, Any], after: Mapping[str, Any], limits: Limits) -> float:
    deviations = [_deviation(figure.get("rounds") or ()) for figure in (before, after)]
    size = abs(float(before["value"]))
    known = [one for one in deviations if one is not None]
    if len(known) < len(deviations):
        return limits.unknown * size
    return max(limits.noise * math.hypot(*known), limits.least * size)


def _deviation(rounds: Sequence[float | None]) -> float | None:
    """The standard deviation of one round; None where there are too few."""
    values = [value for value in rounds if value is not None]
    if len(values) < 2:
        return None
    if len(values) in _RANGE:
        return (max(values) - min(values)) / _RANGE[len(values)]
    values.sort()
    # with many rounds: from the quartiles, which a few disturbed rounds leave alone
    return (values[(3 * len(values)) // 4] - values[len(values) // 4]) / 1.349


def _verdict(difference: float, figure: Mapping[str, Any]) -> str:
    bound, unit = figure.get("bound") or "", figure["unit"]
    more = bound.startswith(">") or (not bound.startswith("<") and unit in _MORE_IS_BETTER)
    less = bound.startswith("<") or (not bound.startswith(">") and unit in _LESS_IS_BETTER)
    if not (more or less):
        return "changed"
    return "better" if (difference > 0) == more else "worse"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        figures = content["figures"]
        usable = bool(figures) and all("unit" in one and _is_value(one["value"]) for one in figures.values())
    except FileNotFoundError:
        raise UserInputError(f"There is no file {path}.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        usable = False
    if not usable or "title" not in content:
        raise UserInputError(f"{path} is no file of `python -m tools.bench NAME --json FILE`.")
    return dict(content)


def _surroundings(content: Mapping[str, Any]) -> Surroundings | None:
    """As a file tells them; None: it does not."""
    told = content.get("surroundings")
    if not isinstance(told, dict) or not all(isinstance(told.get(name), int | float) for name in ("others", "stolen")):
        return None
    return Surroundings(told["others"], told["stolen"])


def _is_value(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and math.isfinite(value))


def _refuse_other_measurement(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    names = [str(content["title"]).partition(":")[0].partition(",")[0] for content in (old, new)]
    if names[0] != names[1] or not set(old["figures"]) & set(new["figures"]):
        raise UserInputError(f"These are other measurements: {old['title']!r} and {new['title']!r}.")
