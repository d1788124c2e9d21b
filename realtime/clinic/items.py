"""What every scale consists of: items with a value or a reason, and totals that say what they are made of."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from realtime.clinic.statistics import Spread, spread
from realtime.errors import UserInputError


@dataclass(frozen=True, slots=True)
class Item:
    """One number of a scale.

    Attributes:
        name: how files and the command line call it, for example "sunnybrook.rest.eye".
        term: for the clinician.
        words: the same in plain words, for the person.
        value: measured or estimated; None: it could not be had.
        reason: one sentence, where `value` is None.
        lowest, highest: the ends of its scale.
        whole: only whole numbers are on the scale.
        least, most: where a total lacks a part, what it would lie between; else None.
        spread: over the repetitions, before rounding to the scale's steps; of a total: from those of its parts. None: not known.
        overruled: the clinician's own value, beside the estimate; for a total: computed with overruled parts.
        replaceable: whether a clinician may overrule it.
    """

    name: str
    term: str
    words: str
    value: float | None
    reason: str = ""
    lowest: float = 0.0
    highest: float = 100.0
    whole: bool = False
    least: float | None = None
    most: float | None = None
    spread: Spread | None = None
    overruled: float | None = None
    replaceable: bool = False

    @property
    def used(self) -> float | None:
        """What counts: the clinician's value where there is one."""
        return self.value if self.overruled is None else self.overruled


@dataclass(frozen=True, slots=True)
class Score:
    """One scale of one examination.

    Attributes:
        name: "eface", "sunnybrook", "fngs" or "house_brackmann".
        title: what a page calls it.
        estimate: it estimates what a clinician would have judged; otherwise it is computed by a published formula.
        items: what it is made of.
        totals: sums; the last one is the main figure.
        remarks: sentences that belong beside the figures.
    """

    name: str
    title: str
    estimate: bool
    items: tuple[Item, ...]
    totals: tuple[Item, ...]
    remarks: tuple[str, ...] = ()

    def item(self, name: str) -> Item:
        """Give the item or total of this name.

        Raises:
            KeyError: there is none.
        """
        return {one.name: one for one in (*self.items, *self.totals)}[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all items and totals."""
        return tuple(one.name for one in (*self.items, *self.totals))


def mean_item(item: Item, values: Sequence[float], reason: str) -> Item:
    """Fill an item with the mean of its repetitions.

    Args:
        item: without a value.
        values: one for each repetition, NaN where it was not measured.
        reason: why there is none, where there is none.
    """
    found = spread(values)
    if found is None:
        return replace(item, value=None, reason=reason)
    return replace(item, value=found.mean, spread=found)


def overrule(items: Iterable[Item], overruled: Mapping[str, float]) -> tuple[Item, ...]:
    """Put the clinician's values beside the estimates.

    Args:
        items: the estimates.
        overruled: the clinician's values, by item.
    """
    return tuple(
        replace(one, overruled=overruled[one.name]) if one.replaceable and one.name in overruled else one
        for one in items
    )


def check_overruled(items: Iterable[Item], name: str, value: float) -> None:
    """Refuse a value that is not on the item's scale.

    Args:
        items: of every scale.
        name: the item's.
        value: the clinician's.

    Raises:
        UserInputError: there is no such item, or it takes no such value.
    """
    known = {one.name: one for one in items if one.replaceable}
    item = known.get(name)
    if item is None:
        raise UserInputError(f"There is no item {name!r} to overrule; there are {', '.join(known)}.")
    on_scale = math.isfinite(value) and item.lowest <= value <= item.highest
    if not on_scale or (item.whole and value != round(value)):
        kind = "a whole number" if item.whole else "a number"
        raise UserInputError(f"{name} takes {kind} from {item.lowest:g} to {item.highest:g}, not {value:g}.")


def sum_of(total: Item, parts: Sequence[Item], weights: Sequence[float], offset: float = 0.0) -> Item:
    """Fill a total: offset + sum of weight x part. A missing part leaves it empty, and gives what it would lie between.

    Args:
        total: without a value.
        parts: items or totals.
        weights: one for each part.
        offset: added to the sum.
    """
    value = _weighted([one.value for one in parts], weights, offset)
    given = any(one.overruled is not None for one in parts)
    used = _weighted([one.used for one in parts], weights, offset) if given else None
    least, most = _range(parts, weights, offset)
    reason = ""
    if value is None:
        reason = f"Not to be had without {', '.join(one.term for one in parts if one.value is None)}."
    lacking = any(one.used is None for one in parts)
    return replace(
        total,
        value=value,
        reason=reason,
        overruled=used,
        least=least if lacking else None,
        most=most if lacking else None,
        spread=None if lacking else _spread_of(value if used is None else used, parts, weights),
    )


def _spread_of(total: float | None, parts: Sequence[Item], weights: Sequence[float]) -> Spread | None:
    """The noise of a sum, as if its parts' repetitions were independent; what a clinician gave has none."""
    noisy = [
        (weight, one.spread)
        for weight, one in zip(weights, parts, strict=True)
        if one.spread is not None and not (one.replaceable and one.overruled is not None)
    ]
    if total is None or not noisy:
        return None
    sd = math.sqrt(sum((weight * found.sd) ** 2 for weight, found in noisy))
    return Spread(total, sd, min(found.count for _, found in noisy))


def _weighted(values: Sequence[float | None], weights: Sequence[float], offset: float) -> float | None:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    return offset + sum(weight * value for weight, value in zip(weights, known, strict=True))


def _range(parts: Sequence[Item], weights: Sequence[float], offset: float) -> tuple[float, float]:
    ends = [offset, offset]
    for part, weight in zip(parts, weights, strict=True):
        low, high = (part.used, part.used) if part.used is not None else (part.least, part.most)
        low, high = part.lowest if low is None else low, part.highest if high is None else high
        ends[0] += min(weight * low, weight * high)
        ends[1] += max(weight * low, weight * high)
    return ends[0], ends[1]
