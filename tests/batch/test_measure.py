"""A recording becomes a bundle: a session that can be verified, with the same bytes every time."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from realtime.action_units.descriptor import describe
from realtime.action_units.recording_rest import NearestRest, RestSearch
from realtime.action_units.rest_frame import MOST_TURNED, NEAR, rms_distance
from realtime.batch.fingerprint import Fingerprint
from realtime.batch.follow import Networks
from realtime.batch.inputs import Input
from realtime.batch.measure import Measured, measure_recording, specs_of
from realtime.batch.options import Options
from realtime.batch.passes import points_pass
from realtime.batch.spool import Spool
from realtime.config import Config
from realtime.errors import UserInputError
from realtime.session.manifest import session_of
from realtime.session.read_frames import read_rows
from realtime.session.verify import verify

PLAIN = Options()
STAMP = Fingerprint.of(Config(), PLAIN, specs_of(Config()))


def measure(one: Input, folder: Path, networks: Networks, options: Options = PLAIN) -> Measured:
    folder.mkdir(parents=True)
    return measure_recording(one, folder, networks, STAMP, options)


def test_a_bundle_is_a_session_like_any_other(originals: Path, tmp_path: Path, networks: Networks) -> None:
    one = Input("clip", originals / "one" / "clip.mp4", {"person": "Ada"})
    told = measure(one, tmp_path / "a", networks)
    verdict = verify(tmp_path / "a")
    assert verdict.right
    assert set(verdict.contents) == {"frames.csv", "session.json", "data_dictionary.json"}
    assert told.recording.frames == told.recording.with_face == 24
    rows = read_rows(tmp_path / "a" / "frames.csv")
    assert rows.sequences.tolist() == list(range(24))
    assert rows.face.all()
    assert np.isfinite(rows.left[12]).all()
    described = session_of(tmp_path / "a")
    assert described["batch"]["columns"] == {"person": "Ada"}
    assert str(tmp_path) not in (tmp_path / "a" / "session.json").read_text("utf-8")
    # the same bytes again, after another recording was measured in between
    measure(Input("clip", originals / "two" / "clip.mp4"), tmp_path / "b", networks)
    measure(one, tmp_path / "c", networks)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "c" / path.name).read_bytes(), path.name


def test_every_frame_is_measured_against_the_rest_of_the_whole_recording(
    originals: Path, tmp_path: Path, networks: Networks
) -> None:
    one = Input("clip", originals / "one" / "clip.mp4", calibration=(0.0, 10.0))
    measure(one, tmp_path / "a", networks)
    with (tmp_path / "a" / "frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["neutral"], row["rest"], row["status"]) for row in rows} == {("calibrated", "calibrated", "measured")}
    assert {row["hidden"] for row in rows} == {"none"}
    # the first frame, by hand, against the median of all: what no live run can know
    units = networks.models.action_units
    assert units is not None
    with Spool(tmp_path) as spool:
        found = points_pass(one.path, networks, spool, window=one.calibration)
        records = list(spool.with_windows())
    baseline = found.rests[0].baseline
    assert baseline is not None
    usable = [seen.found for seen, _ in records if seen.found is not None and not _turned(seen.found.facing)]
    assert np.allclose(baseline.shape, np.median(np.stack([found.shape for found in usable]), axis=0), atol=1e-6)
    (first, windows), *_ = records
    assert first.found is not None
    frontal = [found.shape for found in usable if max(map(abs, found.facing[:2])) <= MOST_TURNED]
    assert all(rms_distance(shape, baseline.shape) > NEAR for shape in frontal), "no picture counts as rest here"
    left, _ = units.measure(first.found, baseline, windows)
    assert {au: float(rows[0][f"AU{au:02d}_left"]) for au in left} == pytest.approx(left, abs=6e-4)


def test_the_frame_nearest_to_rest_is_found(originals: Path, tmp_path: Path, networks: Networks) -> None:
    with Spool(tmp_path) as spool:
        points_pass(originals / "one" / "clip.mp4", networks, spool)
        shapes = [seen.found for seen in spool.faces() if seen.found is not None]
    rest = (shapes[7].shape + 0.1 * (shapes[8].shape - shapes[7].shape)).astype(np.float32)
    nearest = NearestRest(rest)
    for place, found in enumerate(shapes):
        nearest.offer(place, found)
    assert nearest.place is None, "this head is lowered too far for a picture at rest"
    straight = [replace(found, pose=(0.0, 0.0, 0.0)) for found in shapes]
    for place, found in enumerate(straight):
        nearest.offer(place, found)
    inner = [np.sqrt(((found.shape - rest)[33:] ** 2).sum(axis=1).mean()) for found in shapes]
    assert nearest.place == int(np.argmin(inner)) == 7


def _turned(facing: tuple[float, float, float]) -> bool:
    return abs(facing[0]) > 12 or abs(facing[1]) > 17 or abs(facing[2]) > 15


def test_a_calibration_window_without_the_face_is_said(originals: Path, tmp_path: Path, networks: Networks) -> None:
    one = Input("clip", originals / "one" / "clip.mp4", calibration=(5.0, 6.0))
    with pytest.raises(UserInputError, match="window 5 to 6 s shows an uncovered, frontal face on 0 frames"):
        measure(one, tmp_path / "a", networks)
    assert not list((tmp_path / "a").glob(".*scratch"))


def test_a_recording_without_a_face_has_rows_and_a_remark(originals: Path, tmp_path: Path, networks: Networks) -> None:
    told = measure(Input("empty", originals / "empty.mp4"), tmp_path / "a", networks)
    assert len(told.notices) == 1
    assert "no face was seen on any of its 5 frames" in told.notices[0]
    rows = read_rows(tmp_path / "a" / "frames.csv")
    assert len(rows.times) == 5
    assert not rows.face.any()
    assert verify(tmp_path / "a").right


def test_the_spool_gives_back_what_was_put_in(originals: Path, tmp_path: Path, networks: Networks) -> None:
    with Spool(tmp_path) as spool:
        points_pass(originals / "one" / "clip.mp4", networks, spool)
        first = next(iter(spool.faces()))
        assert first.face is not None
        assert first.found is not None
        again = describe(first.face.points)
        assert again is not None
        assert np.array_equal(again.shape, first.found.shape)
        assert again.pose == first.found.pose
        for (seen, windows), place in zip(spool.with_windows(), range(spool.records), strict=True):
            assert seen.place == place
            assert all(np.array_equal(a, b) for a, b in zip(windows, spool.windows_of(place), strict=True))
    assert not list(tmp_path.iterdir())


def test_rest_is_found_where_the_face_is_still(networks: Networks, originals: Path, tmp_path: Path) -> None:
    """A second of one still face gives its own shape as rest; in a moving one no frame is taken."""
    units = networks.models.action_units
    assert units is not None
    with Spool(tmp_path) as spool:
        points_pass(originals / "one" / "clip.mp4", networks, spool)
        seen, windows = next(iter(spool.with_windows()))
    assert seen.found is not None
    still = RestSearch(units)
    for number in range(30):
        still.add(seen.found, windows, number / 30, ())
    moving = RestSearch(units)
    for number in range(30):
        moved = replace(seen.found, shape=seen.found.shape + np.float32(0.05 * (number % 2)))
        moving.add(moved, windows, number / 30, ())
    assert moving.rest().baseline is None
    rest = still.rest()
    assert rest.frames == 29
    assert rest.baseline is not None
    assert np.abs(rest.baseline.shape - seen.found.shape).max() < 0.0025  # a bin of the running median
    assert not rest.settled  # a second is not long enough
