"""The examination as a state machine on a virtual clock, with made-up people."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from realtime.clinic.examination import ExaminationMachine
from realtime.clinic.observation import Observation
from realtime.clinic.protocol import SECONDS, Protocol, load_protocol
from realtime.clinic.types import Affected, Repetition
from realtime.types import Sides
from tests.clinic.patient import FPS, Change, Patient, examine, nobody, turned

FULL = load_protocol("full")
SMILE = Protocol("smile", ("rest", "open_smile"), 1)


def run(protocol: Protocol, patient: Patient, affected: Affected = "none", **how: object) -> ExaminationMachine:
    machine = ExaminationMachine(protocol, affected)
    examine(machine, patient, **how)  # type: ignore[arg-type]
    return machine


def reasons(machine: ExaminationMachine) -> list[str]:
    return [one.reason for one in machine.repetitions if one.outcome == "rejected"]


def seconds(machine: ExaminationMachine) -> float:
    last = machine.repetitions[-1].ended
    assert last is not None
    return last


def smile_of(machine: ExaminationMachine) -> Repetition:
    return next(one for one in machine.repetitions if one.movement == "open_smile" and one.outcome == "counted")


def test_a_healthy_person_is_examined_within_four_minutes_and_everything_counts() -> None:
    patient = Patient()
    machine = ExaminationMachine(FULL)
    events = examine(machine, patient)
    assert machine.finished
    assert Counter(one.outcome for one in machine.repetitions) == {"counted": 27}
    assert seconds(machine) < SECONDS
    assert all(one.rest is not None and one.rest.frames > 10 for one in machine.repetitions)
    go = [time for time, event in events if event == "go"]
    moved = [one for one in machine.repetitions if one.movement != "rest"]
    for signal, one in zip(go, moved, strict=True):
        assert one.onset is not None
        assert one.peak is not None
        assert one.returned is not None
        assert one.started < one.onset < one.peak < one.returned <= (one.ended or 0)
        # The patient begins 0.45 s after the signal and rises for 0.4 s; onset is where that first shows.
        assert 0.45 <= one.onset + machine.begun - signal <= 0.75  # type: ignore[operator]


def test_left_palsy_with_synkinesis_is_followed_by_the_healthy_side() -> None:
    palsy = Patient(left=0.1, synkinesis={("left", "open_smile", 45): 2.0})
    machine = run(FULL, palsy, "left")
    assert machine.finished
    assert Counter(one.outcome for one in machine.repetitions) == {"counted": 27}
    smile = smile_of(machine)
    assert smile.onset is not None
    assert smile.at_peak is not None
    assert smile.rest is not None
    left, right = smile.at_peak.units[12]
    assert right == pytest.approx(4.0, abs=0.15)
    assert left == pytest.approx(0.4, abs=0.15)
    eyes = smile.at_peak.units[45]
    assert eyes.left == pytest.approx(2.0, abs=0.2)
    assert eyes.right < 0.3
    excursion = [smile.at_peak.lengths["commissure"][side] - smile.rest.lengths["commissure"][side] for side in (0, 1)]
    assert excursion == pytest.approx([0.8, 8.0], abs=0.3)


def test_both_sides_without_movement_count_with_what_was_measured() -> None:
    machine = run(FULL, Patient(left=0.0, right=0.0), "both")
    assert machine.finished
    assert Counter(one.outcome for one in machine.repetitions) == {"counted": 27}
    assert all(one.onset is None for one in machine.repetitions)
    smile = smile_of(machine)
    assert smile.at_peak is not None
    assert max(smile.at_peak.units[12]) < 0.3
    assert seconds(machine) <= SECONDS


def test_where_a_side_is_healthy_a_missed_signal_is_asked_for_once_more_and_then_counts() -> None:
    machine = run(SMILE, Patient(left=0.0, right=0.0), "left")
    assert [(one.outcome, one.reason) for one in machine.repetitions] == [
        ("counted", ""),
        ("rejected", "No movement was seen."),
        ("counted", ""),
    ]


def test_noise_of_a_poor_camera_is_no_movement() -> None:
    machine = run(FULL, Patient(noise=0.25, left=0.15), "left")
    assert machine.finished
    assert Counter(one.outcome for one in machine.repetitions)["counted"] == 27
    assert all(one.onset is not None for one in machine.repetitions if one.movement != "rest")


def test_without_millimetres_action_units_suffice() -> None:
    machine = run(FULL, Patient(millimetres=False, left=0.0), "left")
    assert Counter(one.outcome for one in machine.repetitions) == {"counted": 27}
    assert machine.scale is None
    assert not any(one.at_peak.lengths for one in machine.repetitions if one.at_peak)


def test_a_blink_is_no_closure() -> None:
    closing = Protocol("closure", ("gentle_closure",), 1)
    machine = run(closing, Patient(left=0.0, right=0.0, blinks=1.0), "both")
    assert [(one.outcome, one.onset) for one in machine.repetitions] == [("counted", None)]


def in_smile(change: object) -> Change:
    """Applies a change to the frames from a second after the first signal until the try is over, once."""
    used = {"until": 0.0, "over": False}

    def apply(seen: Observation, machine: ExaminationMachine) -> Observation:
        if machine.status.phase in ("go", "hold", "relax") and not reasons(machine):
            return change(seen)  # type: ignore[operator]
        used["over"] = bool(reasons(machine))
        return seen

    return apply


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda seen: turned(seen, 22.0), "head was turned"),
        (lambda seen: turned(seen, 13.5), "head was turned"),
        (lambda seen: replace(seen, width=0.5), "too near"),
        (lambda seen: replace(seen, inside=False), "too near"),
        (lambda seen: replace(seen, width=0.03), "too far"),
        (lambda seen: replace(seen, light=20.0), "too dark"),
        (lambda seen: replace(seen, confidence=0.3), "cannot be seen clearly"),
        (
            lambda seen: replace(
                seen,
                units=dict(seen.units) | {12: Sides(float("nan"), seen.units[12].right)},
                lengths=dict(seen.lengths) | {"commissure": Sides(float("nan"), 34.0)},
            ),
            "covers the part",
        ),
        (lambda seen: replace(seen, faces=2), "Another face is in the picture"),
        (nobody, "No face was seen"),
        (lambda seen: replace(seen, face_id=2), "another one took its place"),
    ],
)
def test_a_gate_says_why_a_try_does_not_count_and_it_is_asked_for_again(change: object, words: str) -> None:
    machine = run(SMILE, Patient(), change=in_smile(change))
    assert len(reasons(machine)) == 1
    assert words in reasons(machine)[0]
    rejected = next(one for one in machine.repetitions if one.outcome == "rejected")
    assert rejected.at_peak is None
    assert rejected.rest is None
    assert machine.finished
    assert smile_of(machine).number == 1


def test_the_count_begins_anew_until_the_face_rests_and_then_the_try_does_not_count() -> None:
    restless = Patient()
    level = {"on": True}

    def grin(seen: Observation, machine: ExaminationMachine) -> Observation:
        if not reasons(machine) and machine.status.movement == "open_smile" and level["on"]:
            wave = 2.0 + 1.5 * np.sin(seen.time * 6)
            return replace(seen, units=dict(seen.units) | {12: Sides(wave, wave)})
        return seen

    machine = run(SMILE, restless, change=grin)
    assert reasons(machine) == ["The face was not at rest before the movement."]
    assert machine.finished


def test_closed_eyes_are_no_rest() -> None:
    machine = ExaminationMachine(SMILE)

    def asleep(seen: Observation, _machine: ExaminationMachine) -> Observation:
        return replace(seen, units=dict(seen.units) | {45: Sides(4.0, 4.0)})

    examine(machine, Patient(), change=asleep, limit=12.0)
    assert machine.status.reason == "not_at_rest"


def test_nobody_for_a_minute_pauses_and_time_without_a_face_is_not_counted() -> None:
    machine = ExaminationMachine(SMILE)

    def away(seen: Observation, machine: ExaminationMachine) -> Observation:
        return nobody(seen) if seen.time > 106 else seen

    examine(machine, Patient(), change=away, limit=90.0)
    status = machine.status
    assert (status.phase, status.reason) == ("paused", "no_face_for_a_minute")
    assert status.seconds_left > SECONDS - 8
    assert not machine.over


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_a_full_protocol_ends_within_four_minutes_of_the_face(seed: int) -> None:
    rng = np.random.default_rng(seed)
    moods = ("good", "turned", "restless", "still", "second")
    mood = {"now": "good", "until": 0.0}

    def trouble(seen: Observation, _machine: ExaminationMachine) -> Observation:
        if seen.time > mood["until"]:  # type: ignore[operator]
            mood.update(now=str(rng.choice(moods)), until=seen.time + float(rng.uniform(1, 8)))
        match mood["now"]:
            case "turned":
                return turned(seen, 40.0)
            case "second":
                return replace(seen, faces=2)
            case "restless":
                wave = float(rng.uniform(0, 4))
                return replace(seen, units=dict(seen.units) | {12: Sides(wave, wave)})
        return seen

    machine = run(FULL, Patient(reaction=float(rng.uniform(0.2, 3))), change=trouble)
    assert machine.finished
    assert seconds(machine) <= SECONDS
    tried = {(one.movement, one.number) for one in machine.repetitions}
    assert len(tried) == 27, "nothing is left out"


def test_what_is_asked_for_again_does_not_count_any_more() -> None:
    machine = ExaminationMachine(Protocol("two", ("rest", "brow_raise", "open_smile"), 1))
    asked = {"redo": False}

    def redo(seen: Observation, machine: ExaminationMachine) -> Observation:
        if machine.status.movement == "open_smile" and not asked["redo"]:
            asked["redo"] = True
            machine.command("redo")
            assert machine.status.movement == "brow_raise"
        return seen

    examine(machine, Patient(), change=redo)
    assert [(one.movement, one.outcome, one.reason) for one in machine.repetitions] == [
        ("rest", "counted", ""),
        ("brow_raise", "rejected", "It was asked for again."),
        ("brow_raise", "counted", ""),
        ("open_smile", "counted", ""),
    ]
    assert machine.finished


def test_a_pause_takes_no_time_and_the_try_begins_anew() -> None:
    machine = ExaminationMachine(SMILE)
    seen_left: list[float] = []
    patient = Patient()

    def pause(seen: Observation, machine: ExaminationMachine) -> Observation:
        if machine.status.phase == "hold" and not seen_left:
            machine.command("pause")
            patient.hear("relax", None, seen.time)
        if machine.status.phase == "paused":
            seen_left.append(machine.status.seconds_left)
            if len(seen_left) == 5 * FPS:
                machine.command("continue")
        return seen

    examine(machine, patient, change=pause)
    assert len(seen_left) == 5 * FPS
    assert len(set(seen_left)) == 1
    assert machine.finished
    assert [one.outcome for one in machine.repetitions] == ["counted", "counted"]


def test_skipping_leaves_out_the_rest_of_the_movement() -> None:
    machine = ExaminationMachine(Protocol("two", ("open_smile", "pucker"), 3))
    machine.step(Patient().look(0, 0.0))
    machine.command("start")
    machine.command("skip")
    assert [(one.movement, one.number, one.outcome) for one in machine.repetitions] == [
        ("open_smile", number, "skipped") for number in (1, 2, 3)
    ]
    assert machine.status.movement == "pucker"
    machine.command("stop")
    assert machine.over
    assert not machine.finished
    assert machine.step(Patient().look(1, 0.1)) == ["started", "instruction", "stored", "instruction", "ended"]


def test_an_examination_that_was_broken_off_is_gone_on_with() -> None:
    first = ExaminationMachine(FULL)
    examine(first, Patient(), limit=60.0)
    assert 5 < len(first.repetitions) < 27
    second = ExaminationMachine(FULL, earlier=first.repetitions)
    assert second.status.done == len(first.repetitions)
    examine(second, Patient())
    assert second.finished
    assert Counter((one.movement, one.number) for one in second.repetitions).most_common(1)[0][1] == 1
    assert [one.ended for one in second.repetitions] == sorted(one.ended for one in second.repetitions)  # type: ignore[type-var]


def test_it_begins_by_itself_when_a_face_is_well_placed() -> None:
    machine = ExaminationMachine(SMILE, starts_itself=True)

    def coming(seen: Observation, _machine: ExaminationMachine) -> Observation:
        return replace(seen, width=0.02) if seen.time < 105 else seen

    events = examine(machine, Patient(), change=coming, start=False)
    assert events[0][1] == "started"
    assert 108 <= events[0][0] < 109
    assert machine.finished


def test_the_first_rest_waits_for_a_calibration() -> None:
    machine = ExaminationMachine(SMILE, calibrates=True)
    asked = {"at": 0.0}

    def uncalibrated(seen: Observation, machine: ExaminationMachine) -> Observation:
        return replace(seen, calibrated=asked["at"] > 0 and seen.time > asked["at"] + 5)

    patient = Patient()
    for sequence in range(40 * FPS):
        seen = uncalibrated(patient.look(sequence, sequence / FPS), machine)
        if sequence == 1:
            machine.command("start")
        for event in machine.step(seen):
            if event == "calibrate":
                assert not asked["at"], "once"
                asked["at"] = seen.time
        if machine.repetitions:
            break
    assert asked["at"] > 0
    assert machine.repetitions[0].started < asked["at"] + 5 < (machine.repetitions[0].ended or 0) + (machine.begun or 0)


def test_the_same_frames_and_commands_give_the_same_examination() -> None:
    runs = [run(SMILE, Patient(noise=0.2, seed=5)) for _ in range(2)]
    assert repr(runs[0].repetitions) == repr(runs[1].repetitions)
