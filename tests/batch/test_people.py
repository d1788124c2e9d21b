"""Several people in a recording: a row for each face on each frame, one of them the patient's, the same bytes every time."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.batch.fingerprint import Fingerprint
from realtime.batch.follow import Networks
from realtime.batch.inputs import Input
from realtime.batch.measure import measure_recording, specs_of
from realtime.batch.options import Options
from realtime.config import Config
from realtime.session.manifest import session_of
from realtime.session.verify import verify
from tests.batch.conftest import write_recording

CONFIG = Config(people=2, patient_rule="left-most")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, pictures: list[np.ndarray]) -> Path:
    """Two people: the clip's face, and its mirror image a little later."""
    frames = []
    for now, later in zip(pictures[:24], pictures[12:36], strict=True):
        left, right = now[:, 160:480], cv2.flip(later, 1)[:, 160:480]
        frames.append(np.ascontiguousarray(np.hstack([left, right])))
    return write_recording(tmp_path_factory.mktemp("pair") / "pair.mp4", frames)


def measure(path: Path, folder: Path, networks: Networks, **more: tuple[float, float]) -> list[dict[str, str]]:
    options = Options()
    stamp = Fingerprint.of(CONFIG, options, specs_of(CONFIG))
    folder.mkdir()
    several = Networks(networks.models, networks.detector, CONFIG)
    measure_recording(Input("pair", path, calibration=more.get("calibration")), folder, several, stamp, options)
    with (folder / "frames.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_everybody_has_a_row_and_the_patient_the_first(pair: Path, tmp_path: Path, networks: Networks) -> None:
    rows = measure(pair, tmp_path / "a", networks)
    assert verify(tmp_path / "a").right
    assert sorted({int(row["sequence"]) for row in rows}) == list(range(24))
    by_frame = [[row for row in rows if int(row["sequence"]) == number] for number in range(24)]
    assert all(len(found) >= 2 for found in by_frame[2:])
    for found in by_frame:
        assert [row["person"] for row in found][1:] == ["other"] * (len(found) - 1)
    patient = [row for row in rows if row["person"] == "patient"]
    assert len(patient) >= 12
    assert len({row["face_id"] for row in patient}) == 1
    assert all(float(row["box_x2"]) < 340 for row in patient), "the left-most"
    others = {row["face_id"] for row in rows if row["person"] == "other" and float(row["box_x1"]) > 300}
    assert len(others) == 1
    measured = [row for row in rows if row["face_id"] in others]
    assert all(row["AU12_left"] and row["AU12_right"] for row in measured)
    described = session_of(tmp_path / "a")
    assert "person" in described["columns"]
    assert len(described["batch"]["rest"]) == 2, "each is measured against a rest of their own"


def test_the_same_bytes_again(pair: Path, tmp_path: Path, networks: Networks) -> None:
    for name in ("a", "b"):
        measure(pair, tmp_path / name, networks)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_a_named_window_is_the_patients(pair: Path, tmp_path: Path, networks: Networks) -> None:
    rows = measure(pair, tmp_path / "a", networks, calibration=(0.0, 10.0))
    kinds = {row["person"]: row["neutral"] for row in rows if row["neutral"] and row["person"]}
    assert kinds["patient"] == "calibrated"
    assert {row["neutral"] for row in rows if row["person"] == "other" and float(row["box_x1"]) > 300} <= {
        "none",
        "recording",
    }


def test_another_number_of_people_is_another_batch() -> None:
    specs, options = specs_of(CONFIG), Options()
    one, two = (Fingerprint.of(Config(people=people), options, specs) for people in (1, 2))
    assert one.hash != two.hash
    assert "people" in two.differences(one)
