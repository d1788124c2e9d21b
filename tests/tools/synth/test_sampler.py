"""Pictures and their truth together: determinism, sides, split, shards."""

from pathlib import Path

import numpy as np
import pytest

from realtime.errors import UserInputError
from tools.data.points98 import eye_opening
from tools.synth import EXPRESSION_NAMES, Sampler, hidden
from tools.synth.expressions import coefficients
from tools.synth.heads import bank_files, load_head
from tools.synth.hidden import awake_files, photograph_of
from tools.synth.kit import Kit
from tools.synth.make import read_shard, render_shard
from tools.synth.sampler import smaller


def test_same_seed_same_pictures_other_seed_others(bank: Path) -> None:
    a, b, c = Sampler(bank, seed=3), Sampler(bank, seed=3), Sampler(bank, seed=4)
    for _ in range(3):
        one, two, three = a.next(), b.next(), c.next()
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.points, two.points)
        np.testing.assert_array_equal(one.expression, two.expression)
        assert not np.array_equal(one.image, three.image)


def test_sample_is_what_it_says(bank: Path) -> None:
    sampler = Sampler(bank, size=192, seed=1)
    for _ in range(4):
        sample = sampler.next()
        assert sample.image.shape == (192, 192, 3)
        assert sample.image.dtype == np.uint8
        assert sample.points.shape == (98, 2)
        assert sample.points.dtype == np.float32
        assert sample.visible.shape == (98,)
        assert sample.expression.shape == (len(EXPRESSION_NAMES),)
        low, high = sample.points[:96].min(0), sample.points[:96].max(0)
        assert (sample.box[:2] <= low + 1e-3).all()
        assert (sample.box[2:] >= high - 1e-3).all()
        assert (np.abs(sample.pose) <= [60, 35, 30]).all()


def test_the_shut_eye_is_the_patients_own_side_in_the_picture(bank: Path) -> None:
    sampler = Sampler(bank, seed=2, clean=True)
    head = load_head(bank_files(bank, False)[0])
    sample = sampler.sample(head, coefficients("blink", 1.0, 0.0), (0.0, 0.0, 0.0))
    right, left = eye_opening(sample.points)
    assert left < 0.3 * right
    # The patient's left is on the image's right.
    assert sample.points[68:76, 0].mean() > sample.points[60:68, 0].mean()
    assert sample.visible[96]
    assert not sample.visible[97]


def test_far_cheek_hides_behind_the_nose_side_in_a_strong_turn(bank: Path) -> None:
    sampler = Sampler(bank, seed=2, clean=True)
    head = load_head(bank_files(bank, False)[0])
    still = np.zeros(57, np.float32)
    turned = sampler.sample(head, still, (60.0, 0.0, 0.0))
    # Turned to the patient's left, the left eye's inner corner lies behind the bridge of the nose.
    assert turned.visible[60:68].sum() > turned.visible[68:76].sum()


def test_held_out_heads_are_never_trained_on(bank: Path) -> None:
    train, held = bank_files(bank, False), bank_files(bank, True)
    assert len(train) == 2
    assert len(held) == 1
    assert not set(train) & set(held)
    assert {Sampler(bank, seed=i).next().identity for i in range(8)} <= {f.stem for f in train}


def test_missing_bank_is_one_clear_sentence(kit: Kit, tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="No heads in"):
        Sampler(tmp_path)


def test_shards_come_back_as_they_were_made(bank: Path, tmp_path: Path) -> None:
    file = render_shard(bank, tmp_path, False, 5, 0, 3, 128)
    shard = read_shard(file)
    again = Sampler(bank, size=128, seed=5 * 100_003)
    for i in range(3):
        sample = again.next()
        np.testing.assert_array_equal(shard["points"][i], sample.points)
        np.testing.assert_allclose(shard["pose"][i], sample.pose, rtol=1e-6)
        assert shard["identity"][i] == sample.identity
        assert np.abs(shard["image"][i].astype(int) - sample.image).mean() < 6
    before = file.stat().st_mtime_ns
    assert render_shard(bank, tmp_path, False, 5, 0, 3, 128) == file
    assert file.stat().st_mtime_ns == before


def test_shrinking_keeps_pixel_centres() -> None:
    np.testing.assert_allclose(smaller(np.array([[0.5, 2.5]], np.float32), 2), [[0.0, 1.0]])


def test_nothing_is_asked_of_what_a_photograph_hides(bank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.synth import drawing

    name = photograph_of(Sampler(bank, seed=1).next().identity)
    monkeypatch.setattr(drawing, "COVERED_BROWS", frozenset({name}))
    for seed in range(6):
        sample = Sampler(bank, seed=seed, clean=True).next()
        if photograph_of(sample.identity) == name:
            assert not sample.visible[33:51].any()
    monkeypatch.setattr(drawing, "DARK_GLASSES", frozenset({name}))
    again = Sampler(bank, seed=1).next()
    assert photograph_of(again.identity) == name
    assert not again.visible[60:76].any()
    assert not again.visible[96:].any()
    assert again.visible[51:60].any()
    assert photograph_of("head_00578_2") == photograph_of("head_00578") == "00578"


def test_people_of_an_exam_are_photographed_awake(bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = bank_files(bank, held_out=False)
    for file in (first, second):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert awake_files(tmp_path, held_out=False) == [tmp_path / first.name, tmp_path / second.name]
    with np.load(first) as data:
        asleep = dict(data)
    for upper, lower in ((61, 67), (62, 66), (63, 65), (69, 75), (70, 74), (71, 73)):
        asleep["points"][lower] = asleep["points"][upper]
    np.savez(tmp_path / first.name, **asleep)
    assert awake_files(tmp_path, held_out=False) == [tmp_path / second.name]
    monkeypatch.setattr(hidden, "DARK_GLASSES", frozenset({photograph_of(second.stem)}))
    assert awake_files(tmp_path, held_out=False) == []
