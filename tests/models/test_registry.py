from pathlib import Path

import numpy as np
import pytest

from realtime.errors import ModelFileError
from realtime.models import Registry, load_manifest
from tests.models.tiny_onnx import one_operator, write

SHAPE = (1, 3, 4, 4)


def test_opens_a_model_and_names_its_outputs_by_the_programs_words(tmp_path: Path) -> None:
    write(tmp_path, one_operator("Neg", SHAPE))
    registry = Registry(tmp_path)
    session = registry.open(registry.manifest.find("landmarks"))
    session.warm_up()
    image = np.arange(48, dtype=np.float32).reshape(SHAPE)
    np.testing.assert_array_equal(session.run(image)["points"], -image)


def test_the_best_tier_is_found_first_and_a_name_is_respected(tmp_path: Path) -> None:
    write(tmp_path, one_operator("Neg", SHAPE), name="coarse", tier=1)
    write(tmp_path, one_operator("Abs", SHAPE), name="fine", tier=0)
    manifest = load_manifest(tmp_path)
    assert manifest.find("landmarks").name == "fine"
    assert manifest.find("landmarks", "coarse").name == "coarse"
    assert [m.name for m in manifest.tiers("landmarks")] == ["fine", "coarse"]
    with pytest.raises(ModelFileError, match=r"no landmarks model called 'other'.*known: coarse, fine"):
        manifest.find("landmarks", "other")
    with pytest.raises(ModelFileError, match="no detector model"):
        manifest.find("detector")


def test_a_damaged_a_truncated_and_a_missing_file_are_told_apart(tmp_path: Path) -> None:
    spec = write(tmp_path, one_operator("Neg", SHAPE))
    registry = Registry(tmp_path)
    path = tmp_path / spec.file
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(ModelFileError, match="checksum"):
        registry.open(spec)
    path.write_bytes(good[:-3])
    with pytest.raises(ModelFileError, match=r"has \d+ bytes instead of"):
        registry.open(spec)
    path.unlink()
    with pytest.raises(ModelFileError, match="is missing"):
        registry.open(spec)
    assert [c.problem is None for c in registry.verify()] == [False]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (one_operator("Neg", SHAPE, inputs="picture"), "has no input 'image'"),
        (one_operator("Neg", SHAPE, outputs="boxes"), "has no output out"),
        (one_operator("Neg", (1, 3, 8, 8)), r"takes \[1, 3, 8, 8\]"),
        (b"this is no network", "cannot be opened"),
    ],
)
def test_another_network_under_the_right_name_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    spec = write(tmp_path, content)
    with pytest.raises(ModelFileError, match=sentence):
        Registry(tmp_path).open(spec)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[model]\n", "cannot be read"),
        ('[[model]]\nname = "a"\n', "'a': role"),
        ('[[model]]\nname = "a"\nrole = "cook"\n', "'a': role"),
    ],
)
def test_a_manifest_that_is_wrong_says_where(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "manifest.toml").write_text(text)
    with pytest.raises(ModelFileError, match=sentence):
        load_manifest(tmp_path)


def test_a_model_outside_the_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, one_operator("Neg", SHAPE))
    manifest = tmp_path / "manifest.toml"
    manifest.write_text(manifest.read_text().replace("tiny.onnx", "../tiny.onnx"))
    with pytest.raises(ModelFileError, match="inside the weights folder"):
        load_manifest(tmp_path)


def test_a_folder_without_manifest_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="Choose the folder that holds"):
        Registry(tmp_path / "nowhere")
