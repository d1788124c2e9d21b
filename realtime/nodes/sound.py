"""Measurements on their way to the ear."""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from realtime.media.sound.tone import Tone, balance
from realtime.nodes.values import Analysed


class Output(Protocol):
    """What plays the tone. latency: seconds until a sample is heard."""

    latency: float

    def close(self) -> None: ...


class Tune:
    """Sink behind the analysis path: one Action Unit's balance between the sides becomes the tone's pitch."""

    def __init__(self, unit: int, tone: Tone, player: Output, clock: Callable[[], float]) -> None:
        self.unit = unit
        self._tone = tone
        self._player = player
        self._clock = clock
        self._ages: deque[float] = deque(maxlen=1000)

    def process(self, analysed: Analysed) -> None:
        """A new value; the player asks for its samples when it wants them."""
        analysis, now = analysed.analysis, self._clock()
        self._ages.append(now - analysis.capture_time)
        self._tone.update(balance(analysis.au_left.get(self.unit), analysis.au_right.get(self.unit)), now)

    def reset(self, reason: str) -> None:  # noqa: ARG002  the graph's contract
        """The stream was interrupted: silence until there is a new value."""
        self._tone.update(None, self._clock())

    def close(self) -> None:
        """Let go of the loudspeaker."""
        self._player.close()

    def figures(self) -> dict[str, Any]:
        """For the summary. latency_ms: from the movement to the ear, the result's age and the output's delay together."""
        age = float(np.median(self._ages)) if self._ages else None
        return {
            "unit": self.unit,
            "output_ms": round(1e3 * self._player.latency, 1),
            "result_age_ms": None if age is None else round(1e3 * age, 1),
            "latency_ms": None if age is None else round(1e3 * (age + self._player.latency), 1),
        }
