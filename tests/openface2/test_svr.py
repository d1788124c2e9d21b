"""Reading `.dat` files and predicting, against a direct evaluation."""

import struct
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import ModelFileError, UserInputError
from realtime.openface2.assets import Assets, find_files, load
from realtime.openface2.descriptor import DESCRIPTOR
from realtime.openface2.svr import read_model
from tests.openface2 import synthetic

RNG = np.random.default_rng(0)
MEANS, WEIGHTS = RNG.normal(size=DESCRIPTOR), RNG.normal(size=DESCRIPTOR)


def direct(assets: Assets, descriptor: np.ndarray, median: np.ndarray) -> dict[int, float]:
    return {
        m.au: float(np.sum((descriptor - m.means - (median if m.dynamic else 0.0)) * m.weights) + m.bias)
        for m in assets.intensity.models
    }


@pytest.mark.parametrize("which", ["assets", "real"])
def test_all_at_once_equals_one_by_one(which: str, request: pytest.FixtureRequest) -> None:
    loaded: Assets = request.getfixturevalue(which)
    rng = np.random.default_rng(1)
    descriptor, median = rng.uniform(0, 0.4, DESCRIPTOR), rng.uniform(0, 0.4, DESCRIPTOR)
    expected = direct(loaded, descriptor, median)
    got = dict(zip(loaded.intensity.aus, loaded.intensity.predict(descriptor, median), strict=True))
    assert got == pytest.approx(expected, abs=1e-9)
    assert sorted(got) == [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45]


def test_without_a_median_only_static_units_are_predicted(assets: Assets) -> None:
    values = assets.intensity.predict(np.zeros(DESCRIPTOR), np.full(DESCRIPTOR, np.nan))
    np.testing.assert_array_equal(np.isnan(values), assets.intensity.dynamic)


def test_occurrence_classes_follow_the_sign(assets: Assets) -> None:
    occurrence = assets.occurrence
    assert occurrence is not None
    predictions = np.array([1.0, -1.0, np.nan] * 6)
    got = occurrence.classes(predictions)
    np.testing.assert_array_equal(got, [1.0, 0.0, np.nan] * 6)


def test_static_dynamic_and_occurrence_files(tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    path.write_bytes(synthetic.dat(0, MEANS, WEIGHTS, 0.25))
    model = read_model(path, 12)
    assert (model.au, model.dynamic, model.cutoff, model.bias, model.classes) == (12, False, -1.0, 0.25, None)
    np.testing.assert_array_equal(model.means, MEANS)
    np.testing.assert_array_equal(model.weights, WEIGHTS)
    path.write_bytes(synthetic.dat(1, MEANS, WEIGHTS, 0.25, cutoff=0.6))
    assert read_model(path, 1).cutoff == 0.6
    path.write_bytes(synthetic.dat(5, MEANS, WEIGHTS, 0.25, classes=(0.0, 1.0)))
    model = read_model(path, 1)
    assert model.dynamic
    assert model.classes == (1.0, 0.0), "the file names the class above the line first"


def mangled(at: int, content: bytes) -> bytes:
    whole = bytearray(synthetic.dat(1, MEANS, WEIGHTS, 0.25, cutoff=0.6))
    whole[at : at + len(content)] = content
    return bytes(whole)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 bytes"),
        (synthetic.dat(0, MEANS, WEIGHTS, 0.0)[:-1], "bytes; a linear model"),
        (synthetic.dat(0, MEANS, WEIGHTS, 0.0) + b"x", "bytes; a linear model"),
        (synthetic.dat(0, MEANS[:4464], WEIGHTS[:4464], 0.0), "bytes; a linear model of 4702"),
        (synthetic.dat(1, MEANS, WEIGHTS, 0.0), "kind 1"),
        (synthetic.dat(7, MEANS, WEIGHTS, 0.0), "kind 7"),
        (mangled(12, struct.pack("<i", 2)), "2x4702 matrix"),
        (mangled(20, struct.pack("<i", 5)), "type 5"),
        (mangled(24, struct.pack("<d", float("nan"))), "not finite"),
        (mangled(4, struct.pack("<d", 1.5)), "makes no sense"),
        (mangled(4, struct.pack("<d", float("inf"))), "makes no sense"),
    ],
)
def test_malformed_files_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "bad.dat").write_bytes(content)
    with pytest.raises(ModelFileError, match=words):
        read_model(tmp_path / "bad.dat", 1)


def test_folder_without_models(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="missing In-the-wild"):
        load(tmp_path)
    with pytest.raises(UserInputError, match="not a folder"):
        load(tmp_path / "nothing")
    folder = synthetic.write_installation(tmp_path)
    (folder / "svr_combined" / "AU_12_static_intensity_comb.dat").unlink()
    with pytest.raises(UserInputError, match="missing the intensity model of AU12"):
        load(folder)


def test_a_model_under_anothers_name_is_refused(tmp_path: Path) -> None:
    folder = synthetic.write_installation(tmp_path)
    wrong = folder / "svr_combined" / "AU_12_static_intensity_comb.dat"
    wrong.write_bytes((folder / "svr_combined" / "AU_1_dynamic_intensity_comb.dat").read_bytes())
    with pytest.raises(ModelFileError, match="another kind"):
        load(folder)


def test_occurrence_needs_all_eighteen(tmp_path: Path) -> None:
    folder = synthetic.write_installation(tmp_path)
    (folder / "svm_combined" / "AU_28_static.dat").unlink()
    assert find_files(folder).occurrence == {}
    assert load(folder).occurrence is None


def test_real_models_have_the_published_kinds(real: Assets) -> None:
    kinds = {m.au: m.dynamic for m in real.intensity.models}
    assert sorted(au for au, dynamic in kinds.items() if not dynamic) == [4, 6, 7, 10, 12, 14]
    assert sorted(au for au, dynamic in kinds.items() if dynamic) == [1, 2, 5, 9, 15, 17, 20, 23, 25, 26, 45]
    assert all(0 < m.cutoff < 1 for m in real.intensity.models if m.dynamic)
    assert real.occurrence is not None
    assert 28 in real.occurrence.aus
