"""Measurements on their way to the ear, and what a run opens for sound. Missing sound ends nothing: it costs one sentence."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from realtime.action_units.symmetry import balance
from realtime.errors import DeviceError
from realtime.media.audio.microphone import Microphone, open_microphone
from realtime.media.audio.player import Player
from realtime.media.audio.tone import Tone, ToneSettings
from realtime.types import TrackedFrame


class Output(Protocol):
    """What plays the tone.

    Attributes:
        latency: seconds until a sample is heard.
    """

    latency: float

    def close(self) -> None: ...


class ToneSink:
    """Sink behind the analysis path: one Action Unit's balance between the sides becomes the tone's pitch.

    Args:
        unit: number of the Action Unit.
        tone: what it sounds like.
        player: the sound output.
        clock: seconds.
    """

    def __init__(self, unit: int, tone: Tone, player: Output, clock: Callable[[], float]) -> None:
        self.unit = unit
        self._tone = tone
        self._player = player
        self._clock = clock
        self._ages: deque[float] = deque(maxlen=1000)

    def process(self, analysed: TrackedFrame) -> None:
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

    def metrics(self) -> dict[str, Any]:
        """For the summary. latency_ms: from the movement to the ear, the result's age and the output's delay together."""
        age = float(np.median(self._ages)) if self._ages else None
        return {
            "unit": self.unit,
            "output_ms": round(1e3 * self._player.latency, 1),
            "result_age_ms": None if age is None else round(1e3 * age, 1),
            "latency_ms": None if age is None else round(1e3 * (age + self._player.latency), 1),
        }


@dataclass(slots=True)
class RunSound:
    """The microphone and the tone of one run; None: not asked for, or not there.

    Attributes:
        microphone: what is recorded.
        tone: what is played.
    """

    microphone: Microphone | None = None
    tone: ToneSink | None = None
    _notices: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls, microphone: str | None, unit: int | None, output: str, settings: ToneSettings, clock: Callable[[], float]
    ) -> "RunSound":
        """Open what was asked for.

        A device that is not there is a notice, not a failure.

        Args:
            microphone: its name, '' for the default; None: not asked for.
            unit: number of the tone's Action Unit; None: not asked for.
            output: its name, '' for the default.
            settings: of the tone.
            clock: seconds.

        Raises:
            UserInputError: no device has that name.
        """
        sound = cls()
        if microphone is not None:
            try:
                sound.microphone = open_microphone(microphone, clock)
            except DeviceError as error:
                sound._notices.append(f"{error} Recording goes on without sound.")
        if unit is not None:
            made: list[Tone] = []

            def make(rate: int) -> Callable[[int, float], Any]:
                made.append(Tone(settings, rate))
                return lambda count, _heard: made[0].samples(count, clock())

            try:
                player = Player(output, clock, make)
                sound.tone = ToneSink(unit, made[0], player, clock)
            except DeviceError as error:
                sound._notices.append(f"{error} There is no tone.")
            except BaseException:
                sound.close()
                raise
        return sound

    def close(self) -> None:
        """Let go of the devices. Safe to call twice."""
        if self.microphone is not None:
            self.microphone.close()
        if self.tone is not None:
            self.tone.close()

    @property
    def notices(self) -> list[str]:
        """What was missing or went wrong, and how late the tone was."""
        found = self._notices + (self.microphone.notices if self.microphone is not None else [])
        if self.tone is not None:
            metrics = self.tone.metrics()
            if metrics["latency_ms"] is not None:
                found.append(
                    f"The tone was heard {metrics['latency_ms']:.0f} ms after the movement (result "
                    f"{metrics['result_age_ms']:.0f} ms, sound output {metrics['output_ms']:.0f} ms)."
                )
        return found

    def metrics(self) -> dict[str, Any]:
        """For the summary and session.json."""
        return {
            "recorded": None if self.microphone is None else self.microphone.figures(),
            "tone": None if self.tone is None else self.tone.metrics(),
        }
