"""`python -m tools.train.detector`: the detector RetinaFace MobileNet-0.25, taught by the official one on composites.

It starts from random weights, or with `--from-official --apart 0` from the official checkpoint (MIT), which it then refines.

Reads the development material (FACEMIRROR_SHARED, default ../shared), writes everything else under --out. Two CPU cores
suffice; a GPU is used where there is one. `--resume` goes on from the last checkpoint of --out.
"""

import argparse
import csv
import os
import time
from pathlib import Path

from tools.command import guarded, require

if __name__ == "__main__":  # before the imports that need it
    guarded(lambda: require("torch", "onnx"))

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from realtime.errors import UserInputError
from tools.networks import retinaface, retinaface_onnx
from tools.networks.unfold import unfold
from tools.train.detector import export as detector_export
from tools.train.detector import sources as detector_sources
from tools.train.detector.curves import PARTS, plot
from tools.train.detector.data import Batch, loader
from tools.train.detector.options import arguments, rate
from tools.train.detector.step import (
    Lesson,
    MovingAverage,
    Notebook,
    frozen_teacher,
    hold_statistics,
    losses,
    prepare,
    total,
)

SETTLED = 60
"""Steps of the optimiser after which BatchNorm's means and variances no longer change."""


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


def official() -> Path:
    """The teacher's checkpoint."""
    shared = Path(os.environ.get("FACEMIRROR_SHARED", "../shared"))
    return shared / "models" / "retinaface_mnet025" / "mobilenet0.25_Final.pth"


def blended(start: retinaface.RetinaFace, trained: retinaface.RetinaFace, share: float) -> dict[str, Tensor]:
    """Weights on the line from `start` (share 0) to `trained` (share 1); counters are the start's.

    Weights refined from a common start may be averaged (Wortsman et al., CVPR 2022, arXiv 2109.01903): some of what was
    learnt stays, and less of what the start knew is lost.
    """
    ends = zip(start.state_dict().items(), trained.state_dict().values(), strict=True)
    return {key: a.lerp(b.to(a.device), share) if a.is_floating_point() else a for (key, a), b in ends}


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
        if options.from_official:
            self.student.load_state_dict(full.state_dict())
        self.origin = "from the official weights" if options.from_official else detector_export.RANDOM
        if options.start_from:
            self._start_from(options.start_from)
        self.average = MovingAverage(self.student)
        self.optimiser = torch.optim.AdamW(self.student.parameters(), lr=options.rate, weight_decay=1e-4)
        self.step, self.updates, self.spent = 0, 0, 0.0
        if options.from_official or options.start_from:
            self.updates = SETTLED
        self.notebook = Notebook(options.notebook, options.seed)
        self.checkpoint = options.out / "checkpoint.pt"
        if options.resume:
            self._resume()

    def _start_from(self, path: Path) -> None:
        """A checkpoint's averaged weights, or those of an exported file."""
        if path.suffix != ".onnx":
            state = torch.load(path, weights_only=True)
            self.student.load_state_dict(state["average"])
            self.origin = state.get("origin", self.origin)
            return
        self.origin = detector_export.origin_of(path)
        batches = loader(self.material, seed=self.options.seed, start=0, steps=24, batch=6, workers=0)
        unfold(self.student, path, (batch.input().to(self.device) for batch in batches))

    def _resume(self) -> None:
        if not self.checkpoint.exists():
            raise UserInputError(f"{self.checkpoint} is not there, so there is nothing to resume.")
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        self.student.load_state_dict(state["student"])
        self.average.network.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.updates, self.spent = state["step"], state["updates"], state["spent"]
        self.origin = state.get("origin", self.origin)

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        state = {
            "student": self.student.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "updates": self.updates,
            "spent": self.spent,
            "origin": self.origin,
        }
        partial = self.checkpoint.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def progress(self) -> float:
        """0 at the start, 1 at the end of the schedule."""
        by_time = self.spent / (60 * self.options.minutes) if self.options.minutes else 0.0
        return min(max(self.step / self.options.steps, by_time), 1.0)

    def advance(self, batch: Batch) -> dict[str, float]:
        """One new batch, and some old ones again; the loss parts of the new one."""
        lesson = prepare(self.teacher, batch, self.device)
        parts = self._learn(lesson)
        for old in self.notebook.draw(self.options.again):
            self._learn(old)
        self.notebook.add(lesson)
        return parts

    def _learn(self, lesson: Lesson) -> dict[str, float]:
        """One step of the optimiser, and the moving average."""
        options, share = self.options, self.progress()
        apart = share < options.apart
        self.student.train()
        if self.updates >= SETTLED:
            hold_statistics(self.student)
        for group in self.optimiser.param_groups:
            group["lr"] = rate(share, options.apart, options.apart_rate, options.rate)
        parts = losses(self.student, lesson, half=options.half, apart=apart)
        # Apart, every map has a loss of its own: their sum. Joined, the maps only guide, less and less.
        guide = 0.02 + 0.98 * ((1 - share) / (1 - options.apart)) ** 2 if not apart else 1.0
        loss = total(parts, len(lesson.maps) if apart else options.hints * guide, options.marks)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), 30.0)
        self.optimiser.step()
        self.updates += 1
        self.average.update(self.student, self.updates)
        return {name: float(value.detach()) for name, value in parts.items()}

    def run(self) -> None:
        """Train to the end of the schedule; a line of curves.csv every 20 steps, a checkpoint every 100."""
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
                parts = self.advance(batch)
                self.step += 1
                for name, value in parts.items():
                    sums[name] += value / 20
                now = time.monotonic()
                self.spent, last = self.spent + now - last, now
                if self.step % 20 == 0:
                    table.writerow([self.step, round(self.spent, 1), *(round(sums[name], 5) for name in PARTS)])
                    sink.flush()
                    text = " ".join(f"{name} {sums[name]:.3f}" for name in PARTS)
                    bar.update(task, completed=self.step, description=text)
                    sums = dict.fromkeys(PARTS, 0.0)
                if self.step % 100 == 0:
                    self.save()
                if self.progress() >= 1:
                    break
        self.save()

    def finish(self) -> None:
        """Export the averaged network and draw the curves."""
        network = retinaface.RetinaFace()
        network.load_state_dict(self.average.network.state_dict())
        if self.options.from_official:
            network.load_state_dict(blended(retinaface.load(official()), network, self.options.blend))
        detector_export.write(network, self.options.out / "retinaface.onnx", self.origin)
        plot(self.options.out / "curves.csv", self.options.out / "curves.png")


def main() -> None:
    """Train and export."""
    options = arguments(__doc__)
    options.out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(options)
    trainer.run()
    trainer.finish()


if __name__ == "__main__":
    guarded(main)
