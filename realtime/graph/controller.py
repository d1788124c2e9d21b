"""A closed-loop latency controller: measured age in, quality steps out.

Unlike a fixed frame-skip, it checks whether what it did has helped. It is a pure object: time and ages are given to it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class LatencyControllerSettings:
    """When the controller acts. Times in seconds.

    Attributes:
        limit: the 95th percentile of the age is to stay below it.
        settle: ages this soon after a switch are not judged (what was on its way came from before).
        judge: ages over this long are a judgement.
        restore_after: so long must it be calm before quality comes back; doubled for a step each time that its return proved wrong,
            up to `restore_at_most`.
        restore_at_most: the longest calm, in seconds, that is asked for before a restoration.
        headroom: the age expected after a restoration must be below `headroom * limit`.
        gain: a step that lowers the age by a smaller share is undone, and not tried again for `retry_after`. When the age stays too
            high for that long although every step that helps is taken, one of them after the other is given back to see whether it
            still helps.
        retry_after: seconds after which what did not help may be tried again.
        fewest: ages that a judgement needs.
    """

    limit: float
    settle: float = 0.5
    judge: float = 1.0
    restore_after: float = 5.0
    restore_at_most: float = 120.0
    headroom: float = 0.8
    gain: float = 0.1
    retry_after: float = 60.0
    fewest: int = 10


@dataclass(slots=True)
class _Step:
    name: str
    ratio: float = 1.0  # age before / age after it was taken, as last measured
    patience: float = 0.0
    useless_until: float = -math.inf


class LatencyController:
    """Steps down a ladder of quality steps while the age is too high, and up again when there is room.

    Args:
        steps: names, in the order in which quality is to be given up (for example a longer detection interval, a smaller landmark
            network, a lower resolution). What each means is the application's matter; it asks `active`.
        settings: when it acts.
    """

    def __init__(self, steps: Sequence[str], settings: LatencyControllerSettings) -> None:
        if len(set(steps)) != len(steps):
            raise ValueError("the steps of a ladder need different names")
        self.settings = settings
        self.switches = 0
        self._steps = [_Step(name, patience=settings.restore_after) for name in steps]
        self._taken: list[_Step] = []
        self._trial: tuple[_Step, float] | None = None  # a step just taken, and the age before it
        self._returned: _Step | None = None  # a step just given back
        self._probe: tuple[_Step, float] | None = None  # a step left out to see whether it helps, and the age with it
        self._hopeless_since: float | None = None  # too high from here on, with no step left to take
        self._since = -math.inf
        self._calm_since: float | None = None
        self._ages: list[tuple[float, float]] = []

    @property
    def active(self) -> tuple[str, ...]:
        """The steps that are taken, in the ladder's order."""
        return tuple(step.name for step in self._steps if step in self._taken)

    def update(self, age: float, now: float) -> tuple[str, ...]:
        """Take in one measured age.

        Args:
            age: seconds from capture to the sink.
            now: seconds on the graph's clock.

        Returns:
            `active`, possibly changed.
        """
        if math.isinf(self._since):
            self._since = now
        if now - self._since < self.settings.settle:
            return self.active
        self._ages.append((now, age))
        if now - self._ages[0][0] >= self.settings.judge and len(self._ages) >= self.settings.fewest:
            p95 = float(np.percentile([a for _, a in self._ages], 95))
            self._ages.clear()
            self._judge(p95, now)
        return self.active

    def _judge(self, p95: float, now: float) -> None:
        if self._trial is not None:
            step, before = self._trial
            self._trial = None
            step.ratio = before / max(p95, 1e-9)
            if p95 > before * (1.0 - self.settings.gain):
                self._taken.remove(step)
                step.useless_until = now + self.settings.retry_after
                if p95 <= self.settings.limit or not self._take_next(p95, now):
                    self._switched(now)
                return
        if self._probe is not None:
            step, before = self._probe
            self._probe = None
            if p95 > before * (1.0 + self.settings.gain):
                step.ratio = p95 / max(before, 1e-9)
                self._taken.append(step)
                self._switched(now)
                return
            step.useless_until = now + self.settings.retry_after
        returned, self._returned = self._returned, None
        if p95 > self.settings.limit:
            self._calm_since = None
            if returned is not None:
                returned.patience = min(self.settings.restore_at_most, 2.0 * returned.patience)
                self._taken.append(returned)
                self._switched(now)
            elif not self._take_next(p95, now):
                self._consider_probing(p95, now)
        else:
            self._hopeless_since = None
            self._consider_restoring(p95, now)

    def _take_next(self, p95: float, now: float) -> bool:
        for step in self._steps:
            if step not in self._taken and now >= step.useless_until:
                self._taken.append(step)
                self._trial = (step, p95)
                self._switched(now)
                return True
        return False

    def _consider_probing(self, p95: float, now: float) -> None:
        """Nothing is left to be given up: see now and then whether what was given up helps at all."""
        if self._hopeless_since is None:
            self._hopeless_since = now
        if self._taken and now - self._hopeless_since >= self.settings.retry_after:
            self._hopeless_since = now
            step = self._taken.pop(0)
            self._probe = (step, p95)
            self._switched(now)

    def _consider_restoring(self, p95: float, now: float) -> None:
        if not self._taken:
            self._calm_since = None
            return
        step = max(self._taken, key=self._steps.index)
        if p95 * step.ratio > self.settings.headroom * self.settings.limit:
            self._calm_since = None
            return
        if self._calm_since is None:
            self._calm_since = now
        if now - self._calm_since >= step.patience:
            self._taken.remove(step)
            self._returned = step
            self._switched(now)

    def _switched(self, now: float) -> None:
        self.switches += 1
        self._since = now
        self._calm_since = None
        self._ages.clear()
