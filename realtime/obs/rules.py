"""Rules: when a condition has held for its time, OBS is asked for something; when it is over, for something else.

A threshold has hysteresis (a condition is over when a number a tenth easier has failed for a time too), a rule fires at
most every so many seconds, and a measure that is missing for a moment changes nothing: nothing flickers.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realtime.obs.conditions import Condition, parse_condition
from realtime.obs.measures import Measure
from realtime.obs.requests import Action, ObsRequest, TextRequest, parse_action
from realtime.types import Analysis

_UNKNOWN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the configuration, read.

    Attributes:
        name: for messages.
        when: what starts it; None: it always holds (for texts).
        until: what ends it; None: `when` with hysteresis is no longer met.
        then: asked for when it starts; texts are kept up to date while it holds.
        otherwise: asked for when it ends.
        release: for how long `when` must be over before the rule ends; seconds.
        interval: the least time between two starts, and between two texts; seconds.
    """

    name: str
    when: Condition | None
    until: Condition | None
    then: tuple[Action, ...]
    otherwise: tuple[Action, ...] = ()
    release: float = 0.2
    interval: float = 0.5

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What its conditions compare and its texts show."""
        conditions = [condition for condition in (self.when, self.until) if condition is not None]
        compared = [measure for condition in conditions for measure in condition.measures]
        return (*compared, *(action.value for action in self.then if isinstance(action, TextRequest)))


def read_rule(
    name: str,
    when: str,
    until: str,
    then: Sequence[Mapping[str, Any]],
    otherwise: Sequence[Mapping[str, Any]],
    release: float,
    interval: float,
) -> Rule:
    """Read a rule of the configuration; see `Rule`.

    Args:
        name: for messages.
        when: a condition; empty: it always holds.
        until: a condition; empty: `when` is no longer met.
        then: actions.
        otherwise: actions.
        release: seconds.
        interval: seconds.

    Raises:
        ValueError: something cannot be read, or does not go together; one sentence.
    """
    start = parse_condition(when) if when.strip() else None
    end = parse_condition(until) if until.strip() else None
    actions, reverse = tuple(map(parse_action, then)), tuple(map(parse_action, otherwise))
    if not actions:
        raise ValueError("'then' says nothing to do")
    if any(isinstance(action, TextRequest) for action in reverse):
        raise ValueError("a text source belongs into 'then': it is kept up to date while the condition holds")
    is_event = start is not None and bool(start.event)
    if is_event and (end is not None or reverse or any(isinstance(action, TextRequest) for action in actions)):
        raise ValueError("an event has no end: 'until', 'otherwise' and text sources need a condition that lasts")
    if end is not None and end.event:
        raise ValueError("'until' is a condition that lasts, not an event")
    if start is None and (end is not None or reverse or not all(isinstance(a, TextRequest) for a in actions)):
        raise ValueError("'when' is missing; without it a rule can only keep text sources up to date")
    return Rule(name, start, end, actions, reverse, release, interval)


@dataclass(frozen=True, slots=True)
class Fired:
    """A request that a rule asks for now.

    Attributes:
        rule: its name.
        request: what to ask OBS for.
        capture_time: of the frame that made it so, seconds.
    """

    rule: str
    request: ObsRequest
    capture_time: float


class RuleEngine:
    """Feeds every analysis to every rule. Pure: its only clock is the frames' capture time.

    Args:
        rules: in the order in which they are asked.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [_RuleState(rule) for rule in rules]
        self._events: list[tuple[str, str]] = []

    def event(self, kind: str, text: str = "") -> None:
        """Note an event; it counts at the next frame.

        Args:
            kind: "marker" or "calibration done".
            text: the marker's.
        """
        self._events.append((kind, text))

    def update(self, analysis: Analysis) -> list[Fired]:
        """Take one frame, in order of time.

        Returns:
            What OBS should be asked for now.
        """
        events, self._events = self._events, []
        return [fired for state in self._rules for fired in state.update(analysis, events)]

    def standing(self, now: float) -> list[Fired]:
        """Give again what holds now, for an OBS that was started anew: of every rule that has an `otherwise`.

        Args:
            now: seconds on the frames' clock.
        """
        return [fired for state in self._rules for fired in state.standing(now)]

    @property
    def suppressed(self) -> dict[str, int]:
        """By rule, how many starts came too soon after the last one and were left out."""
        return {state.rule.name: state.suppressed for state in self._rules if state.suppressed}


class _RuleState:
    """One rule over time."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.suppressed = 0
        self._active = rule.when is None
        self._started: float | None = None
        self._since: float | None = None
        self._unknown_since: float | None = None
        self._texts = [_TextState(action, rule) for action in rule.then if isinstance(action, TextRequest)]
        self._over = rule.when.loosened() if rule.when is not None and rule.until is None else None

    def update(self, analysis: Analysis, events: Iterable[tuple[str, str]]) -> list[Fired]:
        """Take one frame."""
        time, when = analysis.capture_time, self.rule.when
        if when is not None and when.event:
            return self._on_event(when, events, time)
        fired = [] if when is None else self._end(analysis) if self._active else self._begin(when, analysis)
        if self._active:
            fired += [one for text in self._texts for one in text.update(analysis)]
        return fired

    def standing(self, now: float) -> list[Fired]:
        """Give again what was asked for last."""
        for text in self._texts:
            text.forget()
        if not self.rule.otherwise or (self._started is None and not self._active):
            return []
        return self._ask(self.rule.then if self._active else self.rule.otherwise, now)

    def _on_event(self, when: Condition, events: Iterable[tuple[str, str]], time: float) -> list[Fired]:
        matching = [kind for kind, text in events if kind == when.event and when.text in ("", text)]
        return self._start(time, active=False) if matching else []

    def _begin(self, when: Condition, analysis: Analysis) -> list[Fired]:
        time = analysis.capture_time
        if when.truth(analysis) is not True:
            self._since = None
            return []
        self._since = time if self._since is None else self._since
        if time - self._since < when.seconds - 1e-9:
            return []
        self._since = None
        return self._start(time, active=True)

    def _start(self, time: float, *, active: bool) -> list[Fired]:
        if self._started is not None and time - self._started < self.rule.interval - 1e-9:
            self.suppressed += 1
            return []
        self._started, self._active = time, active
        return self._ask(self.rule.then, time)

    def _end(self, analysis: Analysis) -> list[Fired]:
        if not self._is_over(analysis):
            self._since = None
            return []
        time, until = analysis.capture_time, self.rule.until
        needed = self.rule.release if until is None else until.seconds
        self._since = time if self._since is None else self._since
        if time - self._since < needed - 1e-9:
            return []
        self._since, self._active = None, False
        return self._ask(self.rule.otherwise, time)

    def _is_over(self, analysis: Analysis) -> bool:
        until, over = self.rule.until, self._over
        found = until.truth(analysis) if until is not None else over.truth(analysis) if over is not None else None
        if found is None:
            # Hidden for a moment: wait. Gone for longer: what cannot be seen does not hold.
            self._unknown_since = analysis.capture_time if self._unknown_since is None else self._unknown_since
            return analysis.capture_time - self._unknown_since >= _UNKNOWN_SECONDS
        self._unknown_since = None
        return found if until is not None else not found

    def _ask(self, actions: Iterable[Action], time: float) -> list[Fired]:
        return [Fired(self.rule.name, action, time) for action in actions if isinstance(action, ObsRequest)]


class _TextState:
    """One text source: what it shows, and since when."""

    def __init__(self, text: TextRequest, rule: Rule) -> None:
        self._text = text
        self._rule = rule
        self._shown: ObsRequest | None = None
        self._time = -math.inf

    def forget(self) -> None:
        """OBS may show anything: send the text again."""
        self._shown, self._time = None, -math.inf

    def update(self, analysis: Analysis) -> list[Fired]:
        """Give the new text, where it has changed and the interval is over."""
        if analysis.capture_time - self._time < self._rule.interval - 1e-9:
            return []
        value = self._text.value.value(analysis)
        request = self._text.request(value if math.isfinite(value) else None)
        if request == self._shown:
            return []
        self._shown, self._time = request, analysis.capture_time
        return [Fired(self._rule.name, request, analysis.capture_time)]
