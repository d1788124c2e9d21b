"""Examinations made by hand: lengths at rest and at the peak of each movement, with the noise that a test asks for."""

from collections.abc import Mapping

import numpy as np

from realtime.clinic import Affected, Examination, Movement, Repetition, Snapshot
from realtime.clinic.types import MOVEMENTS
from realtime.types import Sides

Lengths = Mapping[str, Sides[float]]
REST: Lengths = {
    "brow_height": Sides(22.0, 22.0),
    "fissure_height": Sides(9.0, 9.0),
    "commissure": Sides(28.0, 28.0),
    "smile_angle": Sides(100.0, 100.0),
    "corner_height": Sides(-62.0, -62.0),
    "lower_lip_height": Sides(38.0, 38.0),
}


def sides(affected: str, weak: float, healthy: float) -> Sides[float]:
    """A pair with the weak value on the affected side; healthy people have the healthy value on both."""
    return Sides(weak if affected == "left" else healthy, weak if affected == "right" else healthy)


def snapshot(lengths: Lengths, units: Mapping[int, Sides[float]] | None = None) -> Snapshot:
    """What was measured at one moment."""
    every = {unit: Sides(0.0, 0.0) for unit in (9, 10, 12, 17, 45)} | dict(units or {})
    return Snapshot(5, 0, dict(REST) | dict(lengths), {"philtrum_deviation": 0.0}, every)


def smile(outward: Sides[float], up: Sides[float]) -> Lengths:
    """Lengths of a mouth whose corners have moved outward and up, from where `REST` has them."""
    found: dict[str, list[float]] = {"commissure": [], "smile_angle": [], "corner_height": []}
    for side in (0, 1):
        turn = np.deg2rad(REST["smile_angle"][side] - 90)
        across = REST["commissure"][side] * np.cos(turn) + outward[side]
        above = REST["commissure"][side] * np.sin(turn) + up[side]
        found["commissure"].append(float(np.hypot(across, above)))
        found["smile_angle"].append(90 + float(np.degrees(np.arctan2(above, across))))
        found["corner_height"].append(REST["corner_height"][side] + up[side])
    return {name: Sides(*values) for name, values in found.items()}


def peaks(affected: str, gain: float) -> dict[Movement, Snapshot]:
    """Every movement's peak; the affected side does `gain` of what the healthy side does."""

    def of(most: float) -> Sides[float]:
        return sides(affected, gain * most, most)

    shut = Sides(*(9.0 - one for one in of(9.0)))
    wide = smile(of(6.0), of(5.0))
    return {
        "brow_raise": snapshot({"brow_height": Sides(*(22.0 + one for one in of(8.0)))}),
        "gentle_closure": snapshot({"fissure_height": shut}),
        "tight_closure": snapshot({"fissure_height": shut}),
        "open_smile": snapshot(wide),
        "closed_smile": snapshot(wide),
        "snarl": snapshot({}, {9: of(3.0), 10: of(3.0)}),
        "pucker": snapshot(smile(of(-5.0), of(0.0))),
        "eee": snapshot({"lower_lip_height": Sides(*(38.0 - one for one in of(4.0)))}),
    }


def noisy(one: Snapshot, rng: np.random.Generator, sd: float) -> Snapshot:
    """The same with independent noise on every length, in millimetres or degrees."""
    lengths = {name: Sides(*(value + float(rng.normal(0, sd)) for value in pair)) for name, pair in one.lengths.items()}
    return Snapshot(one.frames, one.sequence, lengths, one.midline, one.units)


def examination(
    affected: Affected,
    at_peak: Mapping[Movement, Snapshot],
    *,
    rest: Snapshot | None = None,
    repetitions: int = 3,
    noise: float = 0.0,
    seed: int = 1,
    overruled: Mapping[str, float] | None = None,
) -> Examination:
    """Every movement that has a peak, repeated."""
    rng = np.random.default_rng(seed)
    calm = rest or snapshot({})
    found = [Repetition("rest", n, "counted", rest=noisy(calm, rng, noise)) for n in range(1, repetitions + 1)]
    for movement in MOVEMENTS:
        if movement in at_peak:
            for number in range(1, repetitions + 1):
                before, peak = noisy(calm, rng, noise), noisy(at_peak[movement], rng, noise)
                found.append(Repetition(movement, number, "counted", rest=before, at_peak=peak))
    return Examination(
        "Ada",
        affected,
        "all",
        "2026-11-27T10:00:00+00:00",
        "iris",
        repetitions=tuple(found),
        finished=True,
        overruled=overruled or {},
    )
