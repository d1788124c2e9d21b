"""`python -m tools.train.detector`: the detector RetinaFace MobileNet-0.25 from random weights, taught by the official one.

Reads the development material (FACEMIRROR_SHARED, default ../shared), writes everything else under --out. Two CPU cores
suffice; a GPU is used where there is one. `--resume` goes on from the last checkpoint of --out.
"""

import argparse
import csv
import math
import os
import time
from pathlib import Path

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from realtime.errors import UserInputError
from tools.command import guarded
from tools.networks import retinaface, retinaface_onnx
from tools.train import detector_sources
from tools.train.detector_data import Batch, loader
from tools.train.detector_step import MovingAverage, frozen_teacher, losses, total

PARTS = ("score", "box", "marks", "hint")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the cache, checkpoints, curves and the result"
    )
    parser.add_argument("--steps", type=int, default=6000, help="batches to train on (default 6000)")
    parser.add_argument(
        "--minutes", type=float, help="finish the schedule within this time even if --steps are not reached"
    )
    parser.add_argument("--batch", type=int, default=12, help="pictures of 256 px a batch (default 12)")
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate (default 0.003)")
    parser.add_argument(
        "--apart", type=float, default=0.4, help="share of the run in which blocks learn apart (default 0.4)"
    )
    parser.add_argument(
        "--apart-rate", type=float, default=1e-2, help="highest learning rate of that part (default 0.01)"
    )
    parser.add_argument("--hints", type=float, default=4.0, help="weight of the inner maps at the start (default 4)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the weights and the pictures (default 1)")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default 1)")
    parser.add_argument("--workers", type=int, default=1, help="processes that make pictures (default 1)")
    parser.add_argument("--from", dest="start_from", type=Path, help="go on from this checkpoint's averaged weights")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    chosen = parser.parse_args()
    if chosen.steps < 1 or chosen.batch < 2 or not 0 <= chosen.apart < 1:
        raise UserInputError("--steps must be at least 1, --batch at least 2, and --apart from 0 to below 1.")
    return chosen


def sources(out: Path, teacher: retinaface.RetinaFace) -> list[detector_sources.Source]:
    """The training pictures, prepared under `out` on the first call."""
    shared = Path(os.environ.get("FACEMIRROR_SHARED", "../shared"))
    pictures = detector_sources.collages(shared)
    if not pictures:
        raise UserInputError(
            f"there are no collages under {shared}/faces; set FACEMIRROR_SHARED to the material's folder."
        )
    exported = out / "teacher.onnx"
    if not exported.exists():
        retinaface_onnx.export(teacher, exported, source="mobilenet0.25_Final.pth", licence="MIT")
    detector_sources.prepare(pictures, exported, out / "cache")
    return detector_sources.read(out / "cache", held=False)


def schedule(progress: float) -> float:
    """Learning rate as a share of the highest, over 0..1 of one part of the run: a short rise, then half a cosine."""
    if progress < 0.02:
        return 0.05 + 0.95 * progress / 0.02
    return 0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * (progress - 0.02) / 0.98))


def rate(progress: float, apart: float, apart_rate: float, joint_rate: float) -> float:
    """Learning rate at 0..1 of the whole run: one schedule while blocks learn apart, another once they are joined."""
    if progress < apart:
        return apart_rate * schedule(progress / apart)
    return joint_rate * schedule((progress - apart) / max(1 - apart, 1e-6))


def official() -> Path:
    """The teacher's checkpoint."""
    shared = Path(os.environ.get("FACEMIRROR_SHARED", "../shared"))
    return shared / "models" / "retinaface_mnet025" / "mobilenet0.25_Final.pth"


class Trainer:
    """Student, teacher, optimiser and clock of one run."""

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        torch.set_num_threads(options.threads)
        self.options = options
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        full = retinaface.load(official())
        self.material = sources(options.out, full)
        self.teacher = frozen_teacher(full).to(self.device, memory_format=torch.channels_last)
        self.student = retinaface.RetinaFace().to(self.device, memory_format=torch.channels_last)
        if options.start_from:
            self.student.load_state_dict(torch.load(options.start_from, weights_only=True)["average"])
        self.average = MovingAverage(self.student)
        self.optimiser = torch.optim.AdamW(self.student.parameters(), lr=options.rate, weight_decay=1e-4)
        self.step, self.spent = 0, 0.0
        self.checkpoint = options.out / "checkpoint.pt"
        if options.resume:
            self._resume()

    def _resume(self) -> None:
        if not self.checkpoint.exists():
            raise UserInputError(f"{self.checkpoint} is not there, so there is nothing to resume.")
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        self.student.load_state_dict(state["student"])
        self.average.network.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.spent = state["step"], state["spent"]

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        state = {
            "student": self.student.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "spent": self.spent,
        }
        partial = self.checkpoint.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def progress(self) -> float:
        """0 at the start, 1 at the end of the schedule."""
        by_time = self.spent / (60 * self.options.minutes) if self.options.minutes else 0.0
        return min(max(self.step / self.options.steps, by_time), 1.0)

    def advance(self, batch: Batch) -> dict[str, float]:
        """One batch: losses, one step of the optimiser, the moving average."""
        options, share = self.options, self.progress()
        apart = share < options.apart
        self.student.train()
        for group in self.optimiser.param_groups:
            group["lr"] = rate(share, options.apart, options.apart_rate, options.rate)
        parts = losses(self.student, self.teacher, batch, self.device, half=share < 0.8, apart=apart)
        hints = options.hints * (1.0 if apart else 0.02 + 0.98 * ((1 - share) / (1 - options.apart)) ** 2)
        self.optimiser.zero_grad(set_to_none=True)
        total(parts, hints).backward()
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), 10.0)
        self.optimiser.step()
        self.step += 1
        self.average.update(self.student, self.step)
        return {name: float(value.detach()) for name, value in parts.items()}

    def run(self) -> None:
        """Train to the end of the schedule; a line of curves.csv every 20 steps, a checkpoint every 200."""
        options = self.options
        batches = loader(
            self.material,
            seed=options.seed,
            start=self.step,
            steps=options.steps,
            batch=options.batch,
            workers=options.workers,
        )
        curves = options.out / "curves.csv"
        sums, last = dict.fromkeys(PARTS, 0.0), time.monotonic()
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        with Progress(*columns) as bar, curves.open("a", newline="") as sink:
            table = csv.writer(sink)
            task = bar.add_task("", total=options.steps, completed=self.step)
            for batch in batches:
                for name, value in self.advance(batch).items():
                    sums[name] += value / 20
                now = time.monotonic()
                self.spent, last = self.spent + now - last, now
                if self.step % 20 == 0:
                    table.writerow([self.step, round(self.spent, 1), *(round(sums[name], 5) for name in PARTS)])
                    sink.flush()
                    text = " ".join(f"{name} {sums[name]:.3f}" for name in PARTS)
                    bar.update(task, completed=self.step, description=text)
                    sums = dict.fromkeys(PARTS, 0.0)
                if self.step % 200 == 0:
                    self.save()
                if self.progress() >= 1:
                    break
        self.save()

    def finish(self) -> None:
        """Export the averaged network and draw the curves."""
        network = retinaface.RetinaFace()
        network.load_state_dict(self.average.network.state_dict())
        out = self.options.out / "retinaface.onnx"
        gap = retinaface_onnx.export(
            network.eval(), out, source="tools.train.detector, from random weights", licence="MIT"
        )
        plot(self.options.out / "curves.csv", self.options.out / "curves.png")
        print(f"{out}: differs from torch by at most {gap['max']:.1e}; sha256 {retinaface_onnx.checksum(out)}")


def plot(curves: Path, picture: Path) -> None:
    """Draw the columns of curves.csv over the steps, logarithmically."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    with curves.open(newline="") as stream:
        rows = [[float(v) for v in row] for row in csv.reader(stream)]
    figure, axes = plt.subplots(figsize=(8, 5))
    for index, name in enumerate(PARTS):
        axes.semilogy([r[0] for r in rows], [max(r[2 + index], 1e-6) for r in rows], label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.legend()
    figure.savefig(picture, dpi=100)
    plt.close(figure)


def main() -> None:
    """Train and export."""
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(options)
    trainer.run()
    trainer.finish()


if __name__ == "__main__":
    guarded(main)
