"""From an analysis to the tone, and which options go together."""

import numpy as np
import pytest

from realtime.app.nodes.audio import RunSound, ToneSink
from realtime.config import Config
from realtime.config.conflicts import refuse_conflicts
from realtime.errors import UserInputError
from realtime.media.audio.tone import Tone, ToneSettings
from realtime.types import Analysis, Frame, TrackedFrame


class Speaker:
    latency = 0.024
    closed = False

    def close(self) -> None:
        self.closed = True


def analysed(left: float, right: float, at: float) -> TrackedFrame:
    frame = Frame(np.zeros((2, 2, 3), np.uint8), 0, at)
    return TrackedFrame(Analysis(0, at, None, {12: left}, {12: right}), frame)


def test_the_sides_are_heard_and_the_latency_is_stated() -> None:
    now, speaker = 10.0, Speaker()
    tone = Tone(ToneSettings(), 48_000)
    sink = ToneSink(12, tone, speaker, lambda: now)
    sink.process(analysed(3.0, 1.0, 9.94))
    assert np.abs(tone.samples(9600, now)).max() > 0.09
    sink.process(analysed(2.0, 2.0, 9.94))
    tone.samples(4800, now)
    assert not tone.samples(4800, now).any()
    sink.process(analysed(float("nan"), 2.0, 9.94))
    assert not tone.samples(4800, now).any()
    assert sink.metrics() == {"unit": 12, "output_ms": 24.0, "result_age_ms": 60.0, "latency_ms": 84.0}
    assert RunSound(tone=sink).notices == [
        "The tone was heard 84 ms after the movement (result 60 ms, sound output 24 ms)."
    ]
    sink.process(analysed(3.0, 0.0, 9.94))
    sink.reset("reconnected")
    assert not tone.samples(4800, now).any()
    sink.close()
    assert speaker.closed


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sound": ""}, "needs --record"),
        ({"sound": "", "record": "shown", "speed": "max"}, "real time"),
        ({"tone_unit": 12, "speed": "max"}, "real time"),
        ({"sound": "", "dashboard": True, "landmarks_only": True}, "--landmarks-only"),
    ],
)
def test_what_does_not_go_together(settings: dict[str, object], words: str) -> None:
    with pytest.raises(UserInputError, match=words):
        refuse_conflicts(Config.model_validate(settings))
    refuse_conflicts(Config.model_validate({"sound": "", "record": "shown", "tone_unit": 12}))
