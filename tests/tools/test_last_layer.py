"""The last layer fitted anew for one unit: what a ridge finds, how hard it is held, and that nothing else moves."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from realtime.action_units.model import FEATURES, POINT_FEATURES, REST_FEATURES  # noqa: E402
from realtime.errors import UserInputError  # noqa: E402
from tools.networks.action_units import HIDDEN, ActionUnitNet, Branch  # noqa: E402
from tools.train.action_units.last_layer import FOLDS, Row, amended, fitted, main, put, ridge  # noqa: E402
from tools.train.action_units.table import UNITS  # noqa: E402

JAW = UNITS.index(26)


def made_up(rng: np.random.Generator, wrong: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Hidden numbers, a guess that leaves out `wrong` of two of them, the clipped truth, and 60 people."""
    hidden = rng.normal(size=(1200, HIDDEN)).astype(np.float32)
    exact = 1.0 + hidden[:, 0] + wrong * (hidden[:, 1] - hidden[:, 2])
    guess = (1.0 + hidden[:, 0]).astype(np.float32)
    return hidden, guess, exact.clip(0, 5).astype(np.float32), rng.integers(0, 60, 1200).astype(np.int64)


def test_a_ridge_finds_what_the_guess_leaves_out() -> None:
    hidden, guess, truth, person = made_up(np.random.default_rng(1), 0.8)
    row, _, r = fitted(hidden, guess, truth, person)
    assert r > 0.98 > np.corrcoef(guess.clip(0, 5), truth)[0, 1]
    again = made_up(np.random.default_rng(2), 0.8)
    assert np.corrcoef(amended(row, again[0], again[1]), again[2])[0, 1] > 0.98
    assert row.weight[[1, 2]] == pytest.approx([0.8, -0.8], abs=0.25)


def test_where_nothing_is_to_be_learnt_the_row_is_held_hardest() -> None:
    rng = np.random.default_rng(3)
    hidden, guess, truth, person = made_up(rng, 0.0)
    row, strength, _ = fitted(hidden, guess, truth + rng.normal(0, 0.5, len(truth)).astype(np.float32), person)
    assert strength == 3.0
    assert np.abs(row.weight).max() < 0.05
    assert len(np.unique(person)) > FOLDS


def test_guesses_below_zero_of_what_is_at_rest_count_for_nothing() -> None:
    rng = np.random.default_rng(4)
    hidden = rng.normal(size=(500, HIDDEN)).astype(np.float32)
    truth = np.zeros(500, np.float32)
    truth[:250] = 2.0
    guess = truth.copy()
    guess[250:] = -3.0  # clipped: right
    row = ridge(hidden, guess, truth, 0.1)
    assert np.abs(amended(row, hidden, guess) - truth).max() < 1e-5


def test_no_other_unit_changes_though_the_branches_see_the_unit() -> None:
    torch.manual_seed(5)
    network = ActionUnitNet(UNITS).eval()
    for branch in (network.more_eye, network.lower):
        assert isinstance(branch, Branch)
        torch.nn.init.normal_(branch.judge[-1].weight, std=0.2)
        branch.mean.normal_(0, 0.5)
        branch.spread.uniform_(0.5, 2.0)
    features = torch.randn(6, FEATURES)
    features[:, POINT_FEATURES + REST_FEATURES - 1] = torch.tensor([1.0, 1, 1, 0, 0, 1])
    row = Row(np.random.default_rng(6).normal(0, 0.3, HIDDEN), 0.4)
    with torch.no_grad():
        before, look = network(features)
        put(network, JAW, row)
        after, look_after = network(features)
    others = [k for k in range(len(UNITS)) if k != JAW]
    assert torch.equal(look, look_after)
    torch.testing.assert_close(after[:, others], before[:, others], atol=2e-5, rtol=1e-5)
    assert (after[:, JAW] - before[:, JAW]).abs().max() > 0.1


def test_units_that_a_branch_corrects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="no branch corrects"):
        main(["--people", str(tmp_path / "none.npz"), "--out", str(tmp_path), "--units", "26", "17"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match=r"There is no .*none\.npz"):
        main(["--people", str(tmp_path / "none.npz"), "--out", str(tmp_path), "--units", "26"])
