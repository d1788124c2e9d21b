"""Two files of a measurement: what changed beyond noise, which way, and what cannot be compared."""

import json
from pathlib import Path

import pytest

from tools.bench.__main__ import main
from tools.bench.surroundings import Surroundings
from tools.bench.timing import Report


def write(path: Path, figures: dict[str, tuple[list[float], str, str]], title: str = "live: demo, 30 s") -> Path:
    report = Report(title)
    for name, (rounds, unit, bound) in figures.items():
        if len(rounds) > 1:
            report.add_rounds(name, rounds, unit, bound)
        else:
            report.add(name, rounds[0], unit, bound)
    path.write_text(json.dumps(report.as_dict()))
    return path


def compare(tmp_path: Path, old: tuple[list[float], str, str], new: tuple[list[float], str, str]) -> int:
    return main(
        ["compare", *(str(write(tmp_path / n, {"figure": one})) for n, one in (("old.json", old), ("new.json", new)))]
    )


@pytest.mark.parametrize(
    ("old", "new", "unit", "bound", "code"),
    [
        ([10.0, 10.1, 9.9], [10.1, 10.0, 10.2], "ms", "", 0),
        ([10.0, 10.1, 9.9], [12.0, 12.1, 11.9], "ms", "", 1),  # twelve is beyond a noise of 0.2
        ([10.0, 13.0, 7.0], [12.0, 12.1, 11.9], "ms", "", 0),  # and within one of 7
        ([10.0, 10.1, 9.9], [8.0, 8.1, 7.9], "ms", "", 0),  # faster
        ([30.0, 30.1, 29.9], [25.0, 25.1, 24.9], "fps", "", 1),  # fewer frames a second are worse
        ([30.0, 30.1, 29.9], [35.0, 35.1, 34.9], "fps", "", 0),
        ([1.0, 1.001, 0.999], [0.88, 0.881, 0.879], "", ">= 1", 1),  # the bound says which way is better
        ([1.0, 1.001, 0.999], [0.88, 0.881, 0.879], "", "", 0),  # nothing says it
        ([1000.0, 1000.0, 1000.0], [1010.0, 1010.0, 1010.0], "MB", "", 0),  # a hundredth is no change, however steady
        ([10.0], [11.0], "ms", "", 0),  # of one run the noise is unknown
        ([10.0], [12.0], "ms", "", 1),
        ([10.0, 10.1, 9.9], [float("nan")], "ms", "", 1),  # what was measured is measured no more
    ],
)
def test_only_what_is_worse_beyond_noise_fails(
    tmp_path: Path, old: list[float], new: list[float], unit: str, bound: str, code: int
) -> None:
    assert compare(tmp_path, (old, unit, bound), (new, unit, bound)) == code


def test_a_change_is_said_with_both_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = write(tmp_path / "a.json", {"age p99": ([17.0, 18.0, 19.0], "ms", "<= 25"), "gone": ([1.0], "s", "")})
    new = write(tmp_path / "b.json", {"age p99": ([92.0, 93.0, 91.0], "ms", "<= 25"), "fresh": ([1.0], "s", "")})
    assert main(["compare", str(old), str(new)]) == 1
    said = capsys.readouterr().out
    assert "worse (+411.1%" in said
    assert "only in the old file: gone" in said
    assert "only in the new file: fresh" in said


def test_many_rounds_are_judged_by_their_quartiles(tmp_path: Path) -> None:
    """One disturbed round of fifty would hide any change if the range counted."""
    steady, disturbed = [10.0 + 0.01 * (i % 5) for i in range(50)], [11.0 + 0.01 * (i % 5) for i in range(50)]
    steady[7] = disturbed[3] = 80.0
    assert compare(tmp_path, (steady, "ms", ""), (disturbed, "ms", "")) == 1


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"title": "x"}', '{"title": "x", "figures": {"a": {"value": "1", "unit": "s"}}}', '{"figures": []}'],
)
def test_what_is_no_measurement_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    good, bad = write(tmp_path / "a.json", {"x": ([1.0], "s", "")}), tmp_path / "b.json"
    bad.write_text(content)
    assert main(["compare", str(good), str(bad)]) == 2
    assert "b.json is no file of" in capsys.readouterr().err
    assert main(["compare", str(good), str(tmp_path / "none.json")]) == 2


def test_other_measurements_are_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = write(tmp_path / "a.json", {"x": ([1.0], "s", "")})
    other = write(tmp_path / "b.json", {"x": ([1.0], "s", "")}, title="peers: demo")
    assert main(["compare", str(one), str(other)]) == 2
    assert "other measurements" in capsys.readouterr().err


def test_a_disturbed_machine_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def file(name: str, around: Surroundings) -> Path:
        report = Report("live: demo, 30 s", surroundings=around)
        report.add("age p99", 17.0, "ms")
        (tmp_path / name).write_text(json.dumps(report.as_dict()))
        return tmp_path / name

    calm, disturbed = file("calm.json", Surroundings(0.01, 0.0)), file("disturbed.json", Surroundings(0.01, 0.2))
    assert main(["compare", str(calm), str(disturbed)]) == 0
    said = capsys.readouterr().out
    assert (
        "the new file: other processes took 1.0% of the processors meanwhile, the virtual machine's host 20.0%" in said
    )
    assert "the old file" not in said
