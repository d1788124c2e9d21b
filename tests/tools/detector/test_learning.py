"""Losses that vanish where student and teacher agree, a schedule with two parts, a run that can be interrupted."""

import argparse
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from realtime.errors import UserInputError  # noqa: E402
from tools.networks import retinaface  # noqa: E402
from tools.train.common import AveragedWeights  # noqa: E402
from tools.train.detector import data as detector_data  # noqa: E402
from tools.train.detector import loss as detector_loss  # noqa: E402
from tools.train.detector import options as detector_options  # noqa: E402
from tools.train.detector import train as detector  # noqa: E402
from tools.train.detector.composites import Composite  # noqa: E402
from tools.train.detector.data import Batch, loader  # noqa: E402
from tools.train.detector.export import stricter  # noqa: E402
from tools.train.detector.sources import LEVELS, Source  # noqa: E402
from tools.train.detector.step import Notebook, frozen_teacher, losses, prepare  # noqa: E402

pytestmark = pytest.mark.tools


def lively(seed: int) -> retinaface.RetinaFace:
    """A random network with BatchNorm statistics other than 0 and 1."""
    torch.manual_seed(seed)
    made = retinaface.RetinaFace()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.3, 0.3)
            module.running_var.uniform_(0.5, 2.0)
    return made.eval()


def batch() -> Batch:
    nobody = np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32)
    rng = np.random.default_rng(3)
    return Batch([Composite(rng.integers(0, 255, (64, 64, 3), np.uint8), *nobody, False) for _ in range(2)])


@pytest.mark.parametrize("apart", [False, True])
def test_a_student_equal_to_its_teacher_gets_no_hint(apart: bool) -> None:
    network = lively(1)
    lesson = prepare(frozen_teacher(network), batch(), torch.device("cpu"))
    parts = losses(network, lesson, apart=apart)
    assert parts["hint"].item() < 5e-3  # the maps are kept in half precision
    assert parts["box"].item() < 1e-4
    assert parts["marks"].item() < 1e-4
    assert losses(lively(2), lesson, apart=apart)["hint"].item() > 0.1


def test_apart_no_gradient_passes_to_the_part_before() -> None:
    lesson = prepare(frozen_teacher(lively(1)), batch(), torch.device("cpu"))
    student = lively(2)
    losses(student, lesson, apart=True)["score"].backward()
    assert {name.split(".")[0] for name, p in student.named_parameters() if p.grad is not None} == {"ClassHead"}
    student.zero_grad(set_to_none=True)
    losses(student, lesson)["score"].backward()
    assert student.body.stage1[0][0].weight.grad.abs().max() > 0
    student.zero_grad(set_to_none=True)
    losses(student, lesson, apart=True)["hint"].backward()
    untaught = {name.split(".")[0] for name, p in student.named_parameters() if p.grad is None}
    assert untaught == {"ClassHead", "BboxHead", "LandmarkHead"}


def test_with_hints_gives_the_networks_own_outputs() -> None:
    network = lively(4)
    x = torch.randn(1, 3, 70, 90)
    for a, b in zip(detector_loss.with_hints(network, x)[1], network(x), strict=True):
        torch.testing.assert_close(a, b)


def test_score_loss_has_its_least_at_the_soft_score() -> None:
    score, weight = torch.full((1, 1), 0.7), torch.ones(1, 1)

    def at(probability: float) -> float:
        margin = torch.logit(torch.tensor(probability))
        return detector_loss.score_loss(torch.tensor([[[0.0, margin]]]), score, weight).item()

    assert at(0.7) < 1e-6 < min(at(0.6), at(0.8))
    assert at(0.3) > at(0.6)
    assert float(detector_loss.score_loss(torch.tensor([[[0.0, 9.0]]]), torch.zeros(1, 1), torch.zeros(1, 1))) == 0


def test_offsets_count_only_where_they_are_asked_for() -> None:
    ours, wanted = torch.zeros(1, 3, 4), torch.ones(1, 3, 4)
    assert float(detector_loss.offset_loss(ours, wanted, torch.tensor([[0.0, 0.0, 0.0]]))) == 0
    one = detector_loss.offset_loss(ours, wanted, torch.tensor([[1.0, 0.0, 0.0]]))
    assert float(one) == pytest.approx(4 * 0.75 / 8)


def test_points_are_judged_by_the_distance_between_the_eyes() -> None:
    """Offsets are in tenths of an anchor. Closed form: eyes 4 apart, one eye 0.4 off: a tenth, nearly L1, counted double."""
    wanted = torch.tensor([[0.0, 0.0, 4.0, 0.0, 2.0, 2.0, 0.5, 4.0, 3.5, 4.0]])[None]
    loc, regress = torch.zeros(1, 1, 4), torch.full((1, 1), 8.0)
    eye, mouth = wanted.clone(), wanted.clone()
    eye[..., 0] += 0.4
    mouth[..., 9] += 0.4
    assert float(detector_loss.marks_loss(wanted, wanted, loc, regress)) == 0
    assert float(detector_loss.marks_loss(eye, wanted, loc, regress)) == pytest.approx((0.1 - 0.01) * 20 / 14)
    assert float(detector_loss.marks_loss(mouth, wanted, loc, regress)) == pytest.approx((0.1 - 0.01) * 10 / 14)
    profile = wanted.clone()
    profile[..., 2] = 0.0  # a box of one anchor is ten tenths wide: its fifth is the unit, not the eyes' nought
    off = profile.clone()
    off[..., 9] += 0.4
    assert float(detector_loss.marks_loss(off, profile, loc, regress)) == pytest.approx((0.2 - 0.01) * 10 / 14)


def test_the_rate_rises_falls_and_rises_again_when_the_blocks_are_joined() -> None:
    def at(progress: float) -> float:
        return detector_options.rate(progress, 0.4, 1e-2, 3e-3)

    assert at(0.008) == pytest.approx(1e-2)
    assert at(0.399) < 1e-4
    assert at(0.412) == pytest.approx(3e-3)
    assert at(1.0) < 2e-5
    assert max(at(p) for p in np.linspace(0.4, 1, 50)) <= 3e-3 + 1e-9


def test_the_notebook_gives_old_lessons_once_there_are_enough_and_stays_small() -> None:
    teacher = frozen_teacher(lively(1))
    lesson = prepare(teacher, batch(), torch.device("cpu"))
    book = Notebook(6, seed=1)
    assert book.draw(3) == []
    for _ in range(20):
        book.add(lesson)
    assert book.draw(3) == [lesson]
    assert len(book._pages) == 6


def test_the_moving_average_follows_and_keeps_counters() -> None:
    network = lively(5)
    average = AveragedWeights(network, decay=0.5)
    average.steps = 100
    before = average.network.ClassHead[0].conv1x1.weight.clone()
    with torch.no_grad():
        network.ClassHead[0].conv1x1.weight += 1
    average.update(network)
    torch.testing.assert_close(average.network.ClassHead[0].conv1x1.weight, before + 0.5)


def test_blending_runs_from_the_start_to_the_trained_weights() -> None:
    start, trained = lively(1), lively(2)
    key = "fpn.merge1.0.weight"
    for share in (0.0, 0.25, 1.0):
        mixed = detector.blended(start, trained, share)
        torch.testing.assert_close(
            mixed[key], (1 - share) * start.state_dict()[key] + share * trained.state_dict()[key]
        )
    retinaface.RetinaFace().load_state_dict(mixed)


def made_source() -> Source:
    picture = np.random.default_rng(1).integers(0, 255, (400, 400, 3), np.uint8)
    levels = [picture]
    for _ in range(LEVELS - 1):
        levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5))
    points = np.array([[[130, 140], [170, 140], [150, 160], [135, 180], [165, 180]]], np.float32)
    return Source("made.jpg", tuple(levels), np.array([[110, 100, 190, 210]], np.float32), points)


def options(out: Path, *, resume: bool) -> argparse.Namespace:
    return argparse.Namespace(
        out=out, steps=4, minutes=None, batch=2, rate=1e-3, apart=0.5, apart_rate=1e-3, hints=1.0, marks=0.5, seed=3, threads=1,
        workers=0, start_from=None, from_official=False, resume=resume, half=False,
        again=0, notebook=4,
    )  # fmt: skip


def test_an_interrupted_run_ends_where_a_whole_one_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = tmp_path / "teacher.pth"
    torch.save(lively(1).state_dict(), checkpoint)
    monkeypatch.setattr(detector, "official", lambda: checkpoint)
    monkeypatch.setattr(detector, "sources", lambda out, teacher: [made_source()])
    monkeypatch.setattr(detector_data, "SIZES", (64, 96))
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = detector.DetectorTrainer(options(tmp_path / "whole", resume=False))
    whole.train()

    first = detector.DetectorTrainer(options(tmp_path / "parts", resume=False))
    first.options.steps = 4
    batches = iter(loader(first.material, seed=3, start=0, steps=4, batch=2, workers=0))
    for _ in range(2):
        first.advance(next(batches))
        first.batches += 1
    first.save()
    second = detector.DetectorTrainer(options(tmp_path / "parts", resume=True))
    assert second.batches == 2
    second.train()
    ours, theirs = second.average.network.state_dict(), whole.average.network.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_resuming_without_a_checkpoint_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = tmp_path / "teacher.pth"
    torch.save(lively(1).state_dict(), checkpoint)
    monkeypatch.setattr(detector, "official", lambda: checkpoint)
    monkeypatch.setattr(detector, "sources", lambda out, teacher: [made_source()])
    with pytest.raises(UserInputError, match="nothing to resume"):
        detector.DetectorTrainer(options(tmp_path, resume=True))


def test_a_stricter_network_keeps_the_order_and_moves_the_operating_point() -> None:
    torch.manual_seed(2)
    network = retinaface.RetinaFace().eval()
    x = torch.randn(1, 3, 64, 64) * 50
    with torch.no_grad():
        before = network(x)[1]
        stricter(network, 0.7)
        after = network(x)[1]
    torch.testing.assert_close(after[..., 0], before[..., 0])
    torch.testing.assert_close(after[..., 1], before[..., 1] - 0.7)
