"""What a run opens for sound, and the sentences where there is none. Missing sound ends nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from realtime.errors import DeviceError
from realtime.media.sound.microphone import Microphone, open_microphone
from realtime.media.sound.player import Player
from realtime.media.sound.tone import Tone, ToneSettings
from realtime.nodes.sound import Tune


@dataclass(slots=True)
class RunSound:
    """The microphone and the tone of one run; None: not asked for, or not there."""

    microphone: Microphone | None = None
    tune: Tune | None = None
    _notices: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls, microphone: str | None, unit: int | None, output: str, tone: ToneSettings, clock: Callable[[], float]
    ) -> "RunSound":
        """microphone: its name, '' for the default. Raises UserInputError for a name that no device has."""
        sound = cls()
        if microphone is not None:
            try:
                sound.microphone = open_microphone(microphone, clock)
            except DeviceError as error:
                sound._notices.append(f"{error} Recording goes on without sound.")
        if unit is not None:
            made: list[Tone] = []

            def make(rate: int) -> Callable[[int, float], Any]:
                made.append(Tone(tone, rate))
                return lambda count, _heard: made[0].samples(count, clock())

            try:
                player = Player(output, clock, make)
                sound.tune = Tune(unit, made[0], player, clock)
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
        if self.tune is not None:
            self.tune.close()

    @property
    def notices(self) -> list[str]:
        """What was missing or went wrong, and how late the tone was."""
        found = self._notices + (self.microphone.notices if self.microphone is not None else [])
        if self.tune is not None:
            figures = self.tune.figures()
            if figures["latency_ms"] is not None:
                found.append(
                    f"The tone was heard {figures['latency_ms']:.0f} ms after the movement (result "
                    f"{figures['result_age_ms']:.0f} ms, sound output {figures['output_ms']:.0f} ms)."
                )
        return found

    def figures(self) -> dict[str, Any]:
        """For the summary and session.json."""
        return {
            "recorded": None if self.microphone is None else self.microphone.figures(),
            "tone": None if self.tune is None else self.tune.figures(),
        }
