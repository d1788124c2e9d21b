"""Files of other programs that anybody may have damaged: a reader ends in a result or in one sentence, never else."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import FacemirrorError
from realtime.exchange import (
    Annotations,
    Code,
    Exclusion,
    Label,
    Point,
    bids_events,
    boris_project,
    boris_table,
    elan,
    openface_csv,
    read_annotations,
    write_annotations,
)
from realtime.exchange.series import paired, read_series
from realtime.exchange.timeline import timeline_of
from tests.exchange.sessions import make_session
from tests.fuzz.mutations import Change, bounded, changes, damaged

MADE = Annotations(
    "Ada",
    [Code("smile", "voluntary"), Code("blink")],
    [Label(100, 900, "smile", "weak"), Label(500, 1500, "smile"), Label(0, 5, "blink")],
    [Point(50, "cue", "x"), Point(60, "")],
    [Exclusion(0, 40, "hand")],
)
ODD = [
    b"1e400",
    b"-1e308",
    b"nan",
    b"-1",
    b"",
    b"x",
    b"9" * 400,
    b"1e18",
    b"null",
    b"[]",
    b"{}",
    b'"',
    b"\xff",
    b"\x00",
]
odd_numbers = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(ODD)), max_size=3)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_session(tmp_path_factory.mktemp("fuzz") / "s1", seconds=1.0)


def files(folder: Path, session: Path) -> dict[str, tuple[bytes, Callable[[Path], object]]]:
    """Of every kind one, and what reads it."""
    (folder / "events.json").write_bytes(bids_events.write_sidecar(MADE).content)
    write_annotations(folder / "a.json", MADE)
    openface_csv.export_csv(session, folder / "of.csv")
    times, frames, out = timeline_of(session), session / "frames.csv", folder / "rows.csv"
    return {
        "a.eaf": (elan.write_eaf(MADE).content, elan.read_eaf),
        "a.boris": (boris_project.write_project(MADE, "s").content, boris_project.read_project),
        "a.tsv": (boris_table.write_events(MADE, "s").content, boris_table.read_events),
        "events.tsv": (bids_events.write_events(MADE).content, bids_events.read_events),
        "a.json": ((folder / "a.json").read_bytes(), read_annotations),
        "of.csv": (
            (folder / "of.csv").read_bytes(),
            lambda path: (
                openface_csv.import_csv(path, frames, times, out),
                paired(read_series(session, "start"), read_series(path, "start")),
            ),
        ),
    }


def with_odd_numbers(content: bytes, where: Sequence[tuple[float, bytes]]) -> bytes:
    """Numbers at these places, as fractions of all, have another value."""
    for fraction, value in where:
        numbers = list(re.finditer(rb"[0-9.]+", content))
        if numbers:
            found = numbers[int(fraction * len(numbers))]
            content = content[: found.start()] + value + content[found.end() :]
    return content


@bounded(12)
@pytest.mark.parametrize("name", ["a.eaf", "a.boris", "a.tsv", "events.tsv", "a.json", "of.csv"])
@given(how=st.one_of(st.just([]), changes), where=odd_numbers)
def test_a_reader_ends_in_a_result_or_one_sentence(
    name: str, how: list[Change], where: list[tuple[float, bytes]], session: Path, tmp_path: Path
) -> None:
    content, read = files(tmp_path, session)[name]
    path = tmp_path / name
    path.write_bytes(with_odd_numbers(damaged(content, how), where))
    said = ""
    try:
        read(path)
    except FacemirrorError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 600


@pytest.mark.parametrize("odd", ["9" * 400, "1e400", "NaN", '"x"', "[]"])
def test_a_boris_project_s_time_offset_that_is_no_time_is_one_sentence(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "a.boris"
    text = boris_project.write_project(MADE, "s").content.decode()
    assert '"time offset": 0.0' in text
    path.write_text(text.replace('"time offset": 0.0', f'"time offset": {odd}'))
    if odd == "[]":  # as good as none
        boris_project.read_project(path)
        return
    with pytest.raises(FacemirrorError, match="damaged"):
        boris_project.read_project(path)
