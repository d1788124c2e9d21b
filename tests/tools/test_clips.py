"""The program beside MediaPipe on clips: what is counted, against series whose answer is known."""

import math
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import UserInputError
from tools.data.face_landmarker import FaceLandmarker
from tools.evaluate.clips import OURS_RISE, Series, agreement, blinks, chosen, clip_figures, main, matched, together

pytestmark = pytest.mark.tools

TIMES = [n / 30 for n in range(300)]


def with_peaks(at: list[int], height: float, length: int = 5) -> list[float]:
    series = np.full(300, 0.2)
    for frame in at:
        series[frame : frame + length] += height * np.sin(np.pi * (np.arange(length) + 1) / (length + 1))
    return series.tolist()


def test_blinks_stand_at_their_peaks_and_long_closure_is_none() -> None:
    values = with_peaks([40, 120, 200], 3.0)
    values[240:275] = [4.0] * 35  # more than a second shut
    assert blinks(values, TIMES, OURS_RISE) == [42, 122, 202]
    assert blinks(values, TIMES, OURS_RISE, least=9.0) == []


def test_frames_without_a_face_are_no_blinks() -> None:
    values = with_peaks([40, 120], 3.0)
    values[100:150] = [math.nan] * 50
    assert blinks(values, TIMES, OURS_RISE) == [42]


def test_each_blink_is_matched_once() -> None:
    late, missed, invented = matched([42, 122, 202], [43, 44, 123, 280], TIMES)
    assert late == [1, 1]
    assert (missed, invented) == (1, 2)


def test_agreement_is_pearson_over_common_frames_and_empty_where_nothing_moves() -> None:
    rng = np.random.default_rng(0)
    theirs = rng.normal(size=300)
    ours = 2 * theirs + rng.normal(size=300)
    gaps = ours.copy()
    gaps[::7] = np.nan
    known = np.isfinite(gaps)
    r, cases = agreement(gaps.tolist(), theirs.tolist())
    assert r == pytest.approx(float(np.corrcoef(ours[known], theirs[known])[0, 1]))
    assert cases == int(known.sum())
    assert math.isnan(agreement(ours.tolist(), [0.5] * 300)[0])


def test_figures_of_a_clip_and_their_mean() -> None:
    clips = []
    for late in (0, 1):
        clip = Series(f"c{late}", TIMES)
        clip.theirs["blink"] = with_peaks([40, 120], 0.7)
        clip.ours[45] = with_peaks([40 + late, 120 + late, 200], 3.0)
        clip.theirs["smile"] = np.linspace(0, 1, 300).tolist()
        clip.ours[12] = (np.linspace(0, 4, 300) * (1 - 2 * late)).tolist()
        for unit, name in ((25, "lips"), (26, "jaw")):
            clip.theirs[name], clip.ours[unit] = [0.0] * 300, [0.0] * 300
        clips.append(clip)
    found = {f.name: f.value for f in clip_figures(clips[1])}
    assert found["c1: MediaPipe's blinks found"] == 2
    assert found["c1: blinks that MediaPipe has not"] == 1
    assert found["c1: latest blink, frames"] == 1
    assert found["c1: AU12, r with MediaPipe"] == pytest.approx(-1)
    assert found["c1: AU12, MediaPipe's series moves by"] == pytest.approx(1)
    assert "c1: AU25, r with MediaPipe" not in found
    mean = {f.name: f for f in together(clips)}["all clips: AU12, mean r with MediaPipe"]
    assert (mean.value, mean.met) == (pytest.approx(0, abs=1e-9), False)


def test_a_missing_teacher_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEMIRROR_SHARED", str(tmp_path))
    (tmp_path / "a.mp4").touch()
    assert main([str(tmp_path / "a.mp4")]) == 2
    with pytest.raises(UserInputError, match="FACEMIRROR_SHARED"):
        FaceLandmarker(tmp_path)


def test_jaws_that_open_are_averaged_apart() -> None:
    clips = []
    for name, most in (("shut", 0.1), ("open", 0.6)):
        clip = Series(name, TIMES)
        for unit, kind in ((12, "smile"), (25, "lips"), (45, "blink")):
            clip.theirs[kind], clip.ours[unit] = [0.0] * 300, [0.0] * 300
        clip.theirs["jaw"] = [math.nan, *np.linspace(0, most, 299).tolist()]
        clip.ours[26] = np.linspace(0, 3, 300).tolist() if name == "open" else np.linspace(3, 0, 300).tolist()
        clips.append(clip)
    found = {f.name: f for f in together(clips)}
    assert found["all clips: AU26, mean r with MediaPipe"].value == pytest.approx(0, abs=1e-6)
    opening = found["clips whose jaw opens by 0.2 or more: AU26, mean r with MediaPipe"]
    assert (opening.value, opening.cases) == (pytest.approx(1), 1)


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserInputError, match="no clips in"):
        chosen([tmp_path])
    (tmp_path / "a.MP4").touch()
    assert chosen([tmp_path]) == [tmp_path / "a.MP4"]
