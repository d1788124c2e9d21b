"""Reading the shape model and the triangulation."""

from pathlib import Path

import numpy as np
import pytest

from realtime.errors import ModelFileError
from realtime.openface2.pdm import ShapeModel, read_shape_model, read_triangulation
from tests.openface2 import synthetic


def test_written_model_is_read_back(tmp_path: Path, model: ShapeModel) -> None:
    synthetic.write_shape_model(tmp_path / "m.txt", model)
    read = read_shape_model(tmp_path / "m.txt")
    np.testing.assert_allclose(read.mean, model.mean, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(read.basis, model.basis, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(read.eigenvalues, model.eigenvalues, rtol=1e-7)


def test_real_model_has_a_face_shape_and_orthonormal_modes(real_folder: Path) -> None:
    model = read_shape_model(real_folder / "In-the-wild_aligned_PDM_68.txt")
    np.testing.assert_allclose(model.basis.T @ model.basis, np.eye(34), atol=1e-4)
    assert 120 < model.size[0] < 170
    assert model.mean[1, 8] > model.mean[1, 27], "chin below nose bridge"
    assert model.mean[0, 45] > model.mean[0, 36], "the patient's left eye is on the image's right"


def test_other_point_counts_are_refused(real_folder: Path) -> None:
    with pytest.raises(ModelFileError, match="66 points"):
        read_shape_model(real_folder / "LandmarkDetector/model/pdms/Multi-PIE_aligned_PDM_66.txt")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds 0 matrices"),
        ("3 1", "middle of a matrix header"),
        ("3 1 6 1 2", "too short"),
        ("3 1 6 1 two 3", "not a text of numbers"),
        ("3 1 6 1 nan 3", "not finite"),
        ("-3 1 6 1 2 3", "too short"),
    ],
)
def test_damaged_files_are_refused_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "m.txt").write_text(text)
    with pytest.raises(ModelFileError, match=words):
        read_shape_model(tmp_path / "m.txt")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_shape_model(tmp_path / "none.txt")


def test_wrong_number_of_modes_and_negative_variances(tmp_path: Path, model: ShapeModel) -> None:
    synthetic.write_shape_model(tmp_path / "m.txt", ShapeModel(model.mean, model.basis[:, :20], model.eigenvalues[:20]))
    with pytest.raises(ModelFileError, match="204x20"):
        read_shape_model(tmp_path / "m.txt")
    synthetic.write_shape_model(tmp_path / "n.txt", ShapeModel(model.mean, model.basis, -model.eigenvalues))
    with pytest.raises(ModelFileError, match="positive eigenvalues"):
        read_shape_model(tmp_path / "n.txt")


def test_triangulation(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("2\n3\n4\n0 1 2\n3 4 67\n")
    np.testing.assert_array_equal(read_triangulation(tmp_path / "t.txt"), [[0, 1, 2], [3, 4, 67]])
    (tmp_path / "t.txt").write_text("1\n3\n4\n0 1 68\n")
    with pytest.raises(ModelFileError, match="points outside"):
        read_triangulation(tmp_path / "t.txt")
    (tmp_path / "t.txt").write_text("1\n2\n4\n0 1\n")
    with pytest.raises(ModelFileError, match="list of triangles"):
        read_triangulation(tmp_path / "t.txt")
