"""Settings that do not go together are refused before anything is opened."""

from typing import Any

import pytest

from realtime.config import Config
from realtime.config.conflicts import refuse_conflicts
from realtime.errors import UserInputError


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"landmarks_only": True, "record": "shown"}, r"--landmarks-only .* --record"),
        ({"landmarks_only": True, "record": "raw"}, r"--landmarks-only .* --record"),
        ({"blur_face": True, "record": "raw"}, r"--record raw .* --blur-face"),
        ({"record": "raw", "au": "openface2"}, r"--record raw .* --au openface2"),
        ({"sound": ""}, r"--sound .* --record"),
        ({"sound": "", "record": "shown", "speed": "max"}, r"--sound .* --speed max"),
        ({"tone_unit": 12, "speed": "max"}, r"--tone .* --speed max"),
        ({"sound": "", "dashboard": True, "landmarks_only": True}, r"--landmarks-only .* --sound"),
        ({"lsl": True, "speed": "max"}, r"--lsl .* --speed max"),
        ({"millimetres": {"scale": "pupils"}}, r"--millimetres pupils .* --pupil-distance"),
        ({"millimetres": {"scale": "ruler"}}, r"--millimetres ruler .* --ruler"),
        ({"millimetres": {"pupil_distance": 60}}, r"--pupil-distance .* --millimetres pupils"),
        ({"millimetres": {"scale": "iris", "ruler": "50:1,1,90,90"}}, r"--ruler .* --millimetres ruler"),
    ],
)
def test_what_does_not_go_together_is_one_sentence_with_both_options(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UserInputError, match=words):
        refuse_conflicts(Config.model_validate(settings))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"blur_face": True, "record": "shown"},
        {"record": "raw"},
        {"landmarks_only": True},
        {"sound": "", "record": "shown", "tone_unit": 12},
    ],
)
def test_the_others_do(settings: dict[str, Any]) -> None:
    refuse_conflicts(Config.model_validate(settings))
