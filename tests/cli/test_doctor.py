"""`doctor` names what is wrong with the models."""

import json
import re
import shutil
from pathlib import Path

import pytest

from realtime.cli import machine, main
from realtime.media.probes import Probe
from realtime.models import weights_folder


def models(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    code = main(["doctor", "--json", *words])
    return code, json.loads(capsys.readouterr().out)["models"]


def with_anchors(folder: Path, min_sizes: str) -> str:
    """A copy of the program's own weights whose detector is said to have these anchors."""
    copy = folder / "weights"
    shutil.copytree(weights_folder(), copy)
    manifest = copy / "manifest.toml"
    entry = re.compile(r"^(outputs = \{ loc = .*)$", re.MULTILINE)
    changed, count = entry.subn(rf"\1\nparameters = {{ min_sizes = {min_sizes} }}", manifest.read_text("utf-8"))
    assert count == 1
    manifest.write_text(changed, "utf-8")
    return str(copy)


def test_the_embedded_detector_fits_its_anchors(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = models(capsys)
    assert (code, found["ok"]) == (0, True)
    assert "fits its anchors" in str(found["sentence"])


def test_a_detector_with_other_anchors_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, found = models(capsys, "--weights", with_anchors(tmp_path, "[[10, 20], [32, 64], [128, 256]]"))
    assert (code, found["ok"]) == (3, False)
    assert "retinaface was trained with other anchors" in str(found["sentence"])


def test_a_detector_with_another_number_of_anchors_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, found = models(capsys, "--weights", with_anchors(tmp_path, "[[16, 32, 48], [64, 128], [256, 512]]"))
    assert (code, found["ok"]) == (3, False)
    assert "anchors" in str(found["sentence"])


def test_brackets_are_printed_as_they_are(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Names of extras and of people hold brackets, which a terminal library may take for styles."""
    advice = 'pip install "facemirror-live[virtual-camera]"'
    monkeypatch.setattr(machine, "all_probes", lambda: {"virtual_camera": Probe(False, "Not installed.", advice)})
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["doctor"]) == 0
    assert advice in capsys.readouterr().out


def test_another_project_with_the_same_import_package_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    both = {"realtime": ["facemirror-live", "realtime"]}
    for packages, ok in (({"realtime": ["facemirror-live"]}, True), (both, False)):
        monkeypatch.setattr(machine, "packages_distributions", lambda packages=packages: packages)
        main(["doctor", "--json"])
        found = json.loads(capsys.readouterr().out)["package"]
        assert found["ok"] is ok
    assert "environment of its own" in found["how"]
