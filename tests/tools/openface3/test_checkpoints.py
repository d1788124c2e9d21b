"""Checkpoints: what is accepted, and one clear sentence for what is not."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from realtime.errors import ModelFileError  # noqa: E402
from realtime.files import file_sha256  # noqa: E402
from tools import checkpoints  # noqa: E402
from tools.networks import catalogue  # noqa: E402

pytestmark = pytest.mark.tools


class Malicious:
    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.marker,)


@pytest.mark.parametrize("form", ["torch", "plain pickle"])
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(tmp_path: Path, form: str) -> None:
    marker, path = tmp_path / "ran", tmp_path / "Landmark_98.pkl"
    content = {"net": {"a": Malicious(str(marker))}}
    if form == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    with pytest.raises(ModelFileError, match="refused"):
        checkpoints.read(path)
    assert not marker.exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_checkpoint_is_told_in_one_sentence(star_checkpoint: Path, tmp_path: Path, share: float) -> None:
    path = tmp_path / "cut.pkl"
    whole = star_checkpoint.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelFileError, match="truncated or not a torch checkpoint"):
        checkpoints.read(path)


def test_other_files(tmp_path: Path) -> None:
    noise = tmp_path / "noise.pth"
    noise.write_bytes(b"\x80\x04this is not a checkpoint")
    empty = tmp_path / "empty.pth"
    torch.save({"epoch": 3, "net": {}}, empty)
    for path, words in (
        (tmp_path / "absent.pth", "not a file"),
        (noise, "truncated or not"),
        (empty, "no network weights"),
    ):
        with pytest.raises(ModelFileError, match=words) as caught:
            checkpoints.read(path)
        assert "\n" not in str(caught.value)


def test_wrong_checksum(star_checkpoint: Path) -> None:
    digest = file_sha256(star_checkpoint)
    assert checkpoints.read(star_checkpoint, expect_sha256=digest.upper()).sha256 == digest
    with pytest.raises(ModelFileError, match="fetch the file again"):
        checkpoints.read(star_checkpoint, expect_sha256="0" * 64)


def test_wrappers_and_prefixes_are_taken_off_and_the_network_is_recognised(star_checkpoint: Path) -> None:
    read = checkpoints.read(star_checkpoint)
    assert read.network == "star"
    assert all(not key.startswith("module.") for key in read.state)
    network, _ = catalogue.load("star", star_checkpoint)
    assert network.stacks == 2
    assert not network.training


def test_a_checkpoint_of_another_network_is_named(star_checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="is a checkpoint of star, not of multitask"):
        catalogue.load("multitask", star_checkpoint)
    foreign = tmp_path / "foreign.pth"
    torch.save({"fc.weight": torch.zeros(3)}, foreign)
    with pytest.raises(ModelFileError, match="a network this program does not know"):
        catalogue.load("star", foreign)


def test_tensors_that_do_not_fit_are_named(star_checkpoint: Path, tmp_path: Path) -> None:
    state = dict(checkpoints.read(star_checkpoint).state)
    state["pre.1.bn1.weight"] = torch.zeros(7)
    path = tmp_path / "odd.pkl"
    torch.save(state, path)
    with pytest.raises(ModelFileError, match=r"pre\.1\.bn1\.weight"):
        catalogue.load("star", path)


def test_the_official_detector_weights_load(shared: Path) -> None:
    network, read = catalogue.load("retinaface", shared / "models/retinaface_mnet025/mobilenet0.25_Final.pth")
    assert read.sha256 == "2979b33ffafda5d74b6948cd7a5b9a7a62f62b949cef24e95fd15d2883a65220"
    assert sum(p.numel() for p in network.parameters()) == 426_608
