"""OpenFace's CSV: names, order, precision, pandas, and missing frames."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from realtime.errors import DeviceError
from realtime.openface2 import Face, Measurement, OpenFace2, Unmeasured
from realtime.openface2.assets import Assets
from realtime.openface2.camera import Camera, head_pose, landmarks_3d
from realtime.openface2.csv_file import GROUPS, CsvFile, CsvRows, RowContext, columns, file_name
from realtime.openface2.shape_fit import Fit, project

CAMERA = Camera.assumed(640, 480)
AU_R = "AU01_r AU02_r AU04_r AU05_r AU06_r AU07_r AU09_r AU10_r AU12_r AU14_r AU15_r AU17_r AU20_r AU23_r AU25_r AU26_r AU45_r"
AU_C = AU_R.replace("_r", "_c").replace("AU45_c", "AU28_c AU45_c")


@pytest.fixture(scope="module")
def measured(assets: Assets, texture: np.ndarray) -> Measurement:
    points = project(assets.shape, np.array([1.4, 0.1, -0.3, 0.2, 350.0, 230.0]), np.zeros(34))
    return OpenFace2(assets, [Face.WHOLE]).update(texture, points)[Face.WHOLE]


def test_header_is_openfaces() -> None:
    names = columns(GROUPS)
    assert names[:5] == ["frame", "face_id", "timestamp", "confidence", "success"]
    assert names[5:13] == [
        "gaze_0_x",
        "gaze_0_y",
        "gaze_0_z",
        "gaze_1_x",
        "gaze_1_y",
        "gaze_1_z",
        "gaze_angle_x",
        "gaze_angle_y",
    ]
    assert names[13] == "eye_lmk_x_0"
    assert names[292] == "eye_lmk_Z_55"
    assert names[293:299] == ["pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz"]
    assert names[299:435] == [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    assert names[435:639] == [f"{axis}_{i}" for axis in "XYZ" for i in range(68)]
    assert names[639:645] == ["p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty"]
    assert names[645:679] == [f"p_{i}" for i in range(34)]
    assert " ".join(names[679:]) == f"{AU_R} {AU_C}"
    assert len(names) == 714, "as the original's full output"


def test_pandas_reads_what_was_measured(tmp_path: Path, assets: Assets, measured: Measurement) -> None:
    path = tmp_path / file_name(Face.LEFT)
    assert path.name == "openface2_left.csv"
    file = CsvFile(path, CsvRows(assets.shape, CAMERA), columns())
    file.write(RowContext(1, 0, 0.0, 0.98), measured)
    file.write(RowContext(2, 0, 0.0333, 0.98), Measurement(Unmeasured.FIT, False))
    file.close()
    table = pd.read_csv(path)
    assert list(table.columns) == columns()
    assert list(table["success"]) == [1, 0]
    assert list(table["frame"]) == [1, 2]
    assert table["timestamp"][1] == 0.033
    row = table.iloc[0]
    assert measured.fit is not None
    assert measured.points is not None
    for au, value in measured.intensity.items():
        assert row[f"AU{au:02d}_r"] == pytest.approx(value, abs=0.005)
    for au, value in measured.occurrence.items():
        assert row[f"AU{au:02d}_c"] == value
    np.testing.assert_allclose(row[[f"x_{i}" for i in range(68)]].astype(float), measured.points[:, 0], atol=0.0501)
    np.testing.assert_allclose(row[[f"p_{i}" for i in range(34)]].astype(float), measured.fit.local, atol=0.0005)
    assert row["p_scale"] == pytest.approx(measured.fit.global_[0], abs=0.0005)
    failed = table.iloc[1]
    assert failed["confidence"] == 0
    assert (failed[[name for name in table.columns if name.startswith(("AU", "x_", "p_"))]] == 0).all(), (
        "as OpenFace does"
    )


def test_missing_can_be_empty_instead(assets: Assets) -> None:
    rows = CsvRows(assets.shape, CAMERA, missing="empty")
    line = rows.line(RowContext(3, 0, 0.1, 0.5), Measurement(Unmeasured.NO_FACE, False))
    assert line == "3,0,0.100,0.00,0" + "," * (len(columns()) - 5)


def test_unmeasured_units_are_empty_never_zero(assets: Assets, measured: Measurement) -> None:
    partial = Measurement(None, False, {12: 1.25, 1: float("nan")}, {}, {}, measured.fit, measured.points)
    cells = dict(
        zip(
            columns(("aus",)),
            CsvRows(assets.shape, CAMERA, ("aus",)).line(RowContext(1, 0, 0, 1), partial).split(","),
            strict=True,
        )
    )
    assert cells["AU12_r"] == "1.25"
    assert cells["AU01_r"] == cells["AU02_r"] == cells["AU12_c"] == ""


def test_groups_can_be_left_out_and_gaze_stays_empty(assets: Assets, measured: Measurement) -> None:
    rows = CsvRows(assets.shape, CAMERA, ("gaze", "aus"), occurrences=False)
    line = rows.line(RowContext(1, 0, 0.0, 1.0), measured)
    names = columns(("gaze", "aus"), occurrences=False)
    cells = dict(zip(names, line.split(","), strict=True))
    assert cells["gaze_0_x"] == ""
    assert cells["AU01_r"] != ""
    assert not any(name.endswith("_c") for name in names)


def test_pose_and_depth_of_a_known_head(assets: Assets) -> None:
    """A head rendered by a true perspective camera: pose within a few mm and degrees, depth in front of the camera."""
    angles, place = np.array([0.15, -0.35, 0.1]), np.array([30.0, -20.0, 620.0])
    shape = assets.shape.mean.T
    turn, _ = cv2.Rodrigues(
        cv2.Rodrigues(np.array([0.15, 0, 0]))[0]
        @ cv2.Rodrigues(np.array([0, -0.35, 0]))[0]
        @ cv2.Rodrigues(np.array([0, 0, 0.1]))[0]
    )
    points, _ = cv2.projectPoints(shape, turn, place, CAMERA.matrix, None)
    points = points.reshape(-1, 2)
    scale = CAMERA.focal / place[2]
    at = place[:2] * scale + (CAMERA.cx, CAMERA.cy)
    fit = Fit(np.array([scale * 1.03, 0.1, -0.3, 0.08, *at]), np.zeros(34), True, 0.5, 9, False)
    pose = head_pose(assets.shape, fit, points, CAMERA)
    assert pose is not None
    np.testing.assert_allclose(pose[0], place, atol=0.5)
    np.testing.assert_allclose(pose[1], angles, atol=1e-3)
    exact = Fit(np.array([scale, *angles, *at]), np.zeros(34), True, 0.5, 9, False)
    depth = landmarks_3d(assets.shape, exact, points, CAMERA)
    truth = (cv2.Rodrigues(turn)[0] @ shape.T).T + place
    np.testing.assert_allclose(depth, truth, atol=1e-6)


def test_a_folder_that_is_not_there(tmp_path: Path, assets: Assets) -> None:
    with pytest.raises(DeviceError, match="cannot be written"):
        CsvFile(tmp_path / "no" / "a.csv", CsvRows(assets.shape, CAMERA), columns())
