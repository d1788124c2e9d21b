"""An examination gives the repetitions that count, by movement and in order of time."""

from realtime.clinic import Examination, Repetition


def test_only_counted_repetitions_of_the_movement_are_given() -> None:
    tries = (
        Repetition("open_smile", 1, "rejected", "The head turned."),
        Repetition("open_smile", 1, "counted", started=5.0),
        Repetition("pucker", 1, "counted", started=9.0),
        Repetition("open_smile", 2, "counted", started=12.0),
        Repetition("open_smile", 3, "skipped"),
    )
    examination = Examination("P1", "left", "sunnybrook", "2026-11-27T10:00:00+00:00", repetitions=tries)
    assert [one.started for one in examination.counted("open_smile")] == [5.0, 12.0]
    assert examination.counted("rest") == ()
