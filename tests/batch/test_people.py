"""Several people in a recording: a row for each face on each frame, one of them the patient's, the same bytes every time."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest

from realtime.batch import extras
from realtime.batch.fingerprint import Fingerprint
from realtime.batch.follow import Networks
from realtime.batch.inputs import Input
from realtime.batch.measure import measure_recording, specs_of
from realtime.batch.options import Options
from realtime.batch.passes import frames_of, open_recording
from realtime.batch.worker import columns_digest
from realtime.config import Config
from realtime.errors import UserInputError
from realtime.face import face_embedding
from realtime.session.face_store import FaceStore
from realtime.session.manifest import session_of
from realtime.session.verify import verify
from realtime.types import FaceObservation, Frame
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


def measure(
    path: Path,
    folder: Path,
    networks: Networks,
    calibration: tuple[float, float] | None = None,
    config: Config = CONFIG,
    options: Options = Options(),  # noqa: B008  frozen
    notices: list[str] | None = None,
) -> list[dict[str, str]]:
    stamp = Fingerprint.of(config, options, specs_of(config))
    folder.mkdir()
    several = Networks(networks.models, networks.detector, config)
    one = Input("pair", path, columns={"Person": "Ada"}, calibration=calibration)
    found = measure_recording(one, folder, several, stamp, options)
    if notices is not None:
        notices += found.notices
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


class StandIn:
    """In the place of OpenFace's models: notes which face it was given on which frame."""

    seen: ClassVar[list[tuple[int, float | None]]] = []

    def __init__(self, _models: Path, _folder: Path) -> None:
        StandIn.seen.clear()

    def frame(self, frame: Frame, face: FaceObservation | None) -> None:
        StandIn.seen.append((frame.sequence, None if face is None else float(face.box[0])))

    def finish(self) -> None:
        pass


def test_the_stored_person_is_the_patient_and_openface_s_columns_are_theirs(
    pair: Path, tmp_path: Path, networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_embedding, "_CLEAR", 4)
    monkeypatch.setattr(extras, "_OpenFace2", StandIn)
    config = Config(people=2, patient_rule="person", people_folder=tmp_path / "people")
    rows = measure(pair, tmp_path / "a", networks)
    right = next(row for row in rows if float(row["box_x1"] or 0) > 300 and int(row["sequence"]) >= 12)
    points = np.array([[float(right[f"wflw_{axis}_{i}"]) for axis in "xy"] for i in range(98)], np.float32)
    picture = next(f for f in frames_of(open_recording(pair, config)) if f.sequence == int(right["sequence"])).image
    store, embedding = FaceStore(config.people_folder), face_embedding.FaceEmbedding().of(picture, points)
    with pytest.raises(UserInputError, match="Ada's face looks like is not stored"):
        measure(pair, tmp_path / "unknown", networks, config=config)
    one = Input("pair", pair, columns={"person": "Ada"})
    unknown = columns_digest(one, config)
    store.store("Ada", embedding, 30, datetime(2026, 1, 1, tzinfo=UTC))
    assert columns_digest(one, config) != unknown, "another stored face is another batch"
    assert columns_digest(one, Config()) == columns_digest(one, CONFIG)

    rows = measure(pair, tmp_path / "b", networks, config=config, options=Options(openface2=tmp_path / "people"))
    patient = [row for row in rows if row["person"] == "patient" and row["box_x1"]]
    assert len(patient) >= 12
    assert all(float(row["box_x1"]) > 300 for row in patient)
    assert [sequence for sequence, _ in StandIn.seen] == list(range(24))
    given = {sequence: x for sequence, x in StandIn.seen if x is not None}
    assert given == {int(row["sequence"]): pytest.approx(float(row["box_x1"]), abs=0.01) for row in patient}

    notices: list[str] = []
    store.store("Ada", np.roll(embedding, 500), 30, datetime(2026, 1, 1, tzinfo=UTC))
    rows = measure(pair, tmp_path / "c", networks, config=config, notices=notices)
    assert not any(row["person"] == "patient" and row["face_id"] for row in rows)
    assert notices == [f"{pair}: none of the faces is surely Ada's, so nobody is the patient."]
    assert session_of(tmp_path / "c")["batch"]["patient"] is None
