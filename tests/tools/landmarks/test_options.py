"""Command line of the landmark training: what would be left out in silence is refused."""

import pytest

from tools.train.landmarks.options import options


def test_the_mean_of_exported_files_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the first file was used, and nothing said so."""
    words = ["train", "--data", "data", "--out", "out", "--from", "a.onnx", "b.onnx"]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit):
        options("training")
    assert "--from: the mean can be taken of several checkpoint.pt" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", [*words[:-2], "a.pt", "b.pt"])
    assert [file.name for file in options("training").start_from] == ["a.pt", "b.pt"]
