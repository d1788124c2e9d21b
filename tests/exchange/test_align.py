"""Rows on a recorder's clock: a real LSL recording, a pretended other machine, and files that do not fit."""

import csv
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from realtime.cli import main
from realtime.exchange.xdf import align
from realtime.session.read_frames import read_rows
from realtime.types import Analysis, FaceObservation
from tests.exchange.sessions import START, analyses, make_session
from tests.exchange.test_export_import import refused
from tests.exchange.xdf_writer import FILE_HEADER, Recorder, clock_offset, described, header, sample, write_xdf

pyxdf = pytest.importorskip("pyxdf")
UNITS = (1, 12)
LABELS = [f"AU{unit:02d}_{side}" for unit in UNITS for side in ("left", "right")]


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return make_session(tmp_path / "s1")


def column(path: Path, name: str) -> np.ndarray:
    with path.open(encoding="utf-8", newline="") as file:
        return np.array([float(row[name]) for row in csv.DictReader(file)])


def test_a_real_recording_of_lsl_puts_the_rows_on_the_recorders_clock(
    session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pylsl = pytest.importorskip("pylsl")
    from realtime.streams.lsl import LslStreams

    other = pylsl.StreamOutlet(pylsl.StreamInfo("EEG", "EEG", 1, 0, pylsl.cf_float32, "test-eeg-of-align"))
    streams = LslStreams(UNITS, pylsl.local_clock, identity="test-align", look_seconds=0.05)
    try:
        source = streams._source_id(streams.identity, "au")
        recorder = Recorder(pylsl, [source, "test-eeg-of-align"], ahead=37.5)
        sent = analyses(3.0, 30.0, START)[20:70]
        for analysis in sent:
            streams.frame(analysis)
            # The other stream is stamped with the same moments, on LSL's clock.
            other.push_sample([float(analysis.sequence)], analysis.capture_time)
        recorder.pull([len(sent), len(sent)])
        recorder.close()
    finally:
        del other
        streams.close()
    xdf = recorder.save(tmp_path / "r.xdf")
    assert main(["align", str(session), str(xdf)]) == 0
    said = capsys.readouterr().out
    assert "50 of 50 samples" in said, said
    aligned = tmp_path / "s1-aligned.csv"
    eeg = next(one for one in pyxdf.load_xdf(str(xdf))[0] if one["info"]["name"][0] == "EEG")
    ours = column(aligned, "recorder_time")
    assert np.abs(ours[20:70] - eeg["time_stamps"]).max() < 2e-3, "both streams lie on one clock"
    assert np.abs(ours - (read_rows(session / "frames.csv").times + START + 37.5)).max() < 0.01
    assert column(aligned, "recorder_covers").tolist() == [0] * 20 + [1] * 50 + [0] * 20
    assert main(["verify", str(session)]) == 0
    refused(capsys, "exists already", "align", session, xdf)


def values_of(analysis: Analysis) -> bytes:
    face: FaceObservation | None = analysis.face
    units = [(analysis.au_left, analysis.au_right)[side].get(unit, np.nan) for unit in UNITS for side in (0, 1)]
    return struct.pack(f"<{len(LABELS)}f", *(units if face is not None else [np.nan] * len(LABELS)))


def recorded(
    path: Path,
    sent: Sequence[Analysis],
    *,
    source: str = "facemirror-live:h:x:au",
    name: str = "FaceMirror AU",
    jitter: float = 0.0,
) -> Path:
    """A recorder whose clock is 5000 s ahead and gains a tenth of a millisecond in each second."""
    chunks = [header(7, described(name, source, LABELS))]
    for analysis in sent:
        stamp = analysis.capture_time + 100.0
        if analysis.sequence % 15 == 0:
            chunks.append(clock_offset(7, stamp, 5000.0 + 1e-4 * stamp + jitter * (-1) ** (analysis.sequence // 15)))
        chunks.append(sample(7, stamp, values_of(analysis)))
    return write_xdf(path, *chunks)


def test_another_machines_clock_that_drifts_is_followed(tmp_path: Path) -> None:
    session = make_session(tmp_path / "long", seconds=20.0)
    found = align(session, recorded(tmp_path / "a.xdf", analyses(20.0, 30.0, START)[::2]))
    assert (found.samples, found.matched) == (300, 300)
    at = START + np.array([0.0, 10.0, 19.9])
    assert found.recorder_time(at) == pytest.approx(at + 100.0 + 5000.0 + 1e-4 * (at + 100.0), abs=1e-5)
    assert found.rate == pytest.approx(1 + 1e-4, abs=1e-6)
    assert found.max_error < 1e-4
    assert found.clocks == 20
    assert found.max_clock_error < 1e-4


def test_clocks_that_were_measured_badly_show_in_the_residual_error(tmp_path: Path) -> None:
    session = make_session(tmp_path / "long", seconds=20.0)
    xdf = recorded(tmp_path / "a.xdf", analyses(20.0, 30.0, START), jitter=0.004)
    found = align(session, xdf)
    assert 0.002 < found.median_clock_error < found.max_clock_error < 0.008


def test_a_few_seconds_out_of_the_middle_are_found(tmp_path: Path) -> None:
    """A camera's frames are all equally far apart, so only the values tell where a short recording belongs."""
    session = make_session(tmp_path / "long", seconds=30.0)
    found = align(session, recorded(tmp_path / "a.xdf", analyses(30.0, 30.0, START)[600:640]))
    assert found.matched == 40
    assert found.first == pytest.approx(START + 20.0)


def test_the_right_one_of_several_runs_is_found_by_its_values(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s1")
    own, foreign = recorded(tmp_path / "a.xdf", analyses(3.0, 30.0, START)), tmp_path / "b.xdf"
    recorded(foreign, analyses(3.0, 30.0, START, bias=0.7), name="FaceMirror AU other")
    other = foreign.read_bytes()[len(FILE_HEADER) :].replace(struct.pack("<I", 7), struct.pack("<I", 8))
    own.write_bytes(own.read_bytes() + other)
    assert align(session, own).stream == "FaceMirror AU"


def test_what_does_not_fit_is_one_sentence(session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sent = analyses(3.0, 30.0, START)
    cases = {
        "no stream of facemirror-live": recorded(tmp_path / "eeg.xdf", sent, source="eeg", name="EEG"),
        "of another session": recorded(tmp_path / "other.xdf", analyses(3.0, 30.0, START, bias=0.5)),
    }
    for words, path in cases.items():
        refused(capsys, words, "align", session, path)
    (tmp_path / "no.xdf").write_text("<xml/>")
    refused(capsys, "is no XDF file", "align", session, tmp_path / "no.xdf")
    refused(capsys, "cannot be read", "align", session, tmp_path / "missing.xdf")
    broken = tmp_path / "broken.xdf"
    broken.write_bytes(FILE_HEADER + header(7, "<info><name>"))
    refused(capsys, "damaged XDF", "align", session, broken)
    refused(capsys, "no rows", "align", make_session(tmp_path / "empty", seconds=0), tmp_path / "eeg.xdf")
    assert [path.name for path in tmp_path.glob("*aligned*")] == []
