"""Rules on frames of a virtual clock: dwell, hysteresis, missing measures, events, intervals, texts."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from realtime.obs.conditions import parse_condition
from realtime.obs.measures import parse_measure
from realtime.obs.requests import KNOWN_REQUESTS, ObsRequest, parse_action
from realtime.obs.rules import Fired, RuleEngine, read_rule
from realtime.types import Analysis, FaceObservation, Millimetres, Sides

FPS = 30
POINTS = np.zeros((98, 2), np.float32)
FACE = FaceObservation(1, np.zeros(4, np.float32), POINTS, POINTS, 0.9, True, pose=(12.0, -3.0, 1.0))
SMILE = {"scene": "Smile"}
TALK = {"scene": "Talk"}


def analysis(number: int, left: float | None, right: float | None = None, *, face: bool = True) -> Analysis:
    """Frame `number` at 30 per second with Action Unit 12."""
    sides = {} if left is None else {12: left}, {} if right is None else {12: right}
    return Analysis(number, number / FPS, FACE if face else None, *(sides if face else ({}, {})))


def engine(
    when: str, then: Mapping[str, Any] = SMILE, otherwise: Sequence[Mapping[str, Any]] = (), **more: Any
) -> RuleEngine:
    """One rule, named R."""
    given: dict[str, Any] = {"until": "", "release": 0.2, "interval": 0.5} | more
    rule = read_rule("R", when, given["until"], [then], otherwise, given["release"], given["interval"])
    return RuleEngine([rule])


def fired_at(rules: RuleEngine, values: Iterable[float | None], *, face: bool = True) -> list[tuple[int, str]]:
    """(frame, scene) of everything that was asked for."""
    found = []
    for number, value in enumerate(values):
        for fired in rules.update(analysis(number, value, face=face)):
            assert fired.capture_time == number / FPS
            found.append((number, str(fired.request.data.get("sceneName"))))
    return found


def test_a_condition_must_hold_for_its_time_without_a_break() -> None:
    rules = engine("AU12.left > 2.5 for 0.4 s")
    values = [3.0] * 11 + [2.0] + [3.0] * 20
    assert fired_at(rules, values) == [(24, "Smile")]  # frame 12 and twelve frames of 1/30 s


def test_a_value_that_wavers_about_the_threshold_does_not_flicker() -> None:
    rules = engine("AU12.left > 2.5", otherwise=[TALK], interval=0.1)
    wavering = [2.55 if n % 2 else 2.45 for n in range(90)]
    assert fired_at(rules, wavering) == [(1, "Smile")]
    falling = engine("AU12.left > 2.5", otherwise=[TALK])
    assert fired_at(falling, [3.0] * 10 + [2.4] * 30 + [2.2] * 30) == [(0, "Smile"), (46, "Talk")]


def test_until_is_an_end_of_its_own() -> None:
    rules = engine("AU12.left > 2.5", otherwise=[TALK], until="AU12.left < 1 for 0.1 s")
    assert fired_at(rules, [3.0, 2.0, 1.5] + [0.5] * 10) == [(0, "Smile"), (6, "Talk")]


def test_a_measure_missing_for_a_moment_changes_nothing_and_for_longer_ends_the_rule() -> None:
    rules = engine("AU12.left > 2.5", otherwise=[TALK], release=0.0)
    assert fired_at(rules, [3.0] + [None] * 20 + [3.0] * 9) == [(0, "Smile")]
    rules = engine("AU12.left > 2.5", otherwise=[TALK], release=0.0)
    assert fired_at(rules, [3.0] + [None] * 40) == [(0, "Smile"), (31, "Talk")]
    assert fired_at(engine("AU12.left < 2.5"), [None, math.nan, 1.0]) == [(2, "Smile")]


def test_a_rule_fires_at_most_every_so_often_and_counts_what_it_held_back() -> None:
    rules = engine("AU12.left > 2.5", release=0.0, interval=0.5)
    values = [3.0 if n % 2 == 0 else 0.0 for n in range(31)]
    assert [number for number, _ in fired_at(rules, values)] == [0, 16]
    assert rules.suppressed == {"R": 14}


def test_face_lost_and_found() -> None:
    rules = engine("face lost for 0.2 s", otherwise=[TALK], release=0.0)
    assert fired_at(rules, [1.0, 1.0]) == []
    found = [f for n in range(2, 12) for f in rules.update(analysis(n, None, face=False))]
    assert [f.capture_time for f in found] == [8 / FPS]
    assert [f.request.data["sceneName"] for f in rules.update(analysis(12, 1.0))] == ["Talk"]


def test_events_fire_once_and_markers_by_their_text() -> None:
    rules = RuleEngine(
        [
            read_rule("any", "marker", "", [SMILE], [], 0.2, 0.1),
            read_rule("smile", 'marker "smile"', "", [TALK], [], 0.2, 0.1),
            read_rule("calibrated", "calibration done", "", [SMILE], [], 0.2, 0.1),
        ]
    )
    rules.event("marker", "smile")
    assert [f.rule for f in rules.update(analysis(0, 1.0))] == ["any", "smile"]
    assert rules.update(analysis(1, 1.0)) == []
    rules.event("marker", "frown")
    assert [f.rule for f in rules.update(analysis(30, 1.0))] == ["any"]
    rules.event("calibration done")
    assert [f.rule for f in rules.update(analysis(60, 1.0))] == ["calibrated"]


def test_a_text_follows_its_measure_at_its_pace_and_shows_a_dash_for_what_is_not_measured() -> None:
    rules = engine("", {"text": "Score", "value": "AU12.left", "template": "Smile {}", "decimals": 2}, interval=0.1)
    shown: list[Fired] = []
    for number, value in enumerate([1.0, 1.1, 1.2, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, None]):
        shown += rules.update(analysis(number, value))
    texts = [fired.request.data["inputSettings"]["text"] for fired in shown]
    assert texts == ["Smile 1.00", "Smile 1.30", "Smile –"]


def test_what_holds_is_asked_for_again_when_obs_comes_back() -> None:
    rules = engine("AU12.left > 2.5", otherwise=[TALK])
    assert rules.standing(0.0) == []
    rules.update(analysis(0, 3.0))
    assert [f.request.data["sceneName"] for f in rules.standing(1.0)] == ["Smile"]
    for number in range(30, 60):
        rules.update(analysis(number, 0.0))
    assert [f.request.data["sceneName"] for f in rules.standing(2.0)] == ["Talk"]
    assert engine("AU12.left > 2.5").standing(0.0) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AU12.left", 2.0),
        ("au12.right", 1.0),
        ("AU12.mean", 1.5),
        ("AU12.larger", 2.0),
        ("AU12.difference", 1.0),
        ("AU12.symmetry", 0.5),
        ("AU4.left", math.nan),
        ("yaw", 12.0),
        ("pitch", -3.0),
        ("roll", 1.0),
        ("confidence", 0.9),
        ("mm.fissure_height.left", 9.0),
        ("mm.fissure_height.symmetry", 0.9),
        ("mm.fai", 1.5),
        ("mm.mrd1.left", math.nan),
    ],
)
def test_measures(name: str, value: float) -> None:
    lengths = Millimetres(0.2, "iris", fissure_height=Sides(9.0, 8.1), fai=1.5)
    one = Analysis(0, 0.0, FACE, {12: 2.0}, {12: 1.0}, millimetres=lengths)
    assert parse_measure(name).value(one) == pytest.approx(value, nan_ok=True)
    assert math.isnan(parse_measure(name).value(Analysis(0, 0.0, None)))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("AU12 > 2", "needs a side"),
        ("AU12.top > 2", "no measure 'AU12.top'"),
        ("smile > 2", "no measure 'smile'"),
        ("mm.nose.left > 2", "no measure"),
        ("mm.scale_state.left > 2", "no measure"),
        ("AU12.left == 2", "cannot be read"),
        ("AU12.left > much", "cannot be read"),
        ("", "cannot be read"),
        ('marker "x" and AU12.left > 1', "stands alone"),
        ("AU12.left > 1 for 9999 s", "no time from 0 to 600"),
    ],
)
def test_conditions_that_cannot_be_read(words: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_condition(words)


@pytest.mark.parametrize(
    ("when", "then", "more", "said"),
    [
        ("marker", SMILE, {"until": "face lost"}, "an event has no end"),
        ("AU12.left > 1", {"text": "S", "value": "AU12"}, {}, "needs a side"),
        ("", SMILE, {}, "'when' is missing"),
        ("AU12.left > 1", SMILE, {"until": "marker"}, "not an event"),
        ("AU12.left > 1", {}, {}, "says nothing that OBS can do"),
        ("AU12.left > 1", {"scene": ""}, {}, "needs a name"),
        ("AU12.left > 1", {"scene": "A", "on": True}, {}, "'on' does not go with 'scene'"),
        ("AU12.left > 1", {"source": "A", "on": "yes"}, {}, "true or false"),
        ("AU12.left > 1", {"replay_buffer": "keep"}, {}, "one of save, start, stop"),
        ("AU12.left > 1", {"request": "SetCurentProgramScene"}, {}, "did you mean 'SetCurrentProgramScene'"),
        ("AU12.left > 1", {"text": "S", "value": "yaw", "template": "no number"}, {}, "where the number stands"),
    ],
)
def test_rules_that_make_no_sense(when: str, then: Mapping[str, Any], more: Mapping[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        engine(when, then, **more)


def test_actions_become_requests() -> None:
    assert parse_action({"source": "Crown", "on": True, "scene": "Main"}) == ObsRequest(
        "SetSceneItemEnabled", {"sceneName": "Main", "sceneItemEnabled": True}, item="Crown"
    )
    assert parse_action({"filter": "Blur", "source": "Camera", "on": False}) == ObsRequest(
        "SetSourceFilterEnabled", {"sourceName": "Camera", "filterName": "Blur", "filterEnabled": False}
    )
    assert parse_action({"hotkey": "OBSBasic.Screenshot"}) == ObsRequest(
        "TriggerHotkeyByName", {"hotkeyName": "OBSBasic.Screenshot"}
    )
    assert parse_action({"replay_buffer": "save"}) == ObsRequest("SaveReplayBuffer")
    assert parse_action({"request": "SetStudioModeEnabled", "data": {"studioModeEnabled": True}}) == ObsRequest(
        "SetStudioModeEnabled", {"studioModeEnabled": True}
    )
    assert len(KNOWN_REQUESTS) > 120
