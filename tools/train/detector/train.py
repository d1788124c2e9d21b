"""`python -m tools.train.detector`: the detector RetinaFace MobileNet-0.25, taught by the official one on composites.

It starts from random weights, or with `--from-official --apart 0` from the official checkpoint (MIT), which it then refines.

Reads the development material (FACEMIRROR_SHARED, default ../shared), writes everything else under --out. Two CPU cores
suffice; a GPU is used where there is one. `--resume` goes on from the last checkpoint of --out.
"""

import argparse
import csv
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    Notebook,
    frozen_teacher,
    hold_statistics,
    losses,
    prepare,
    total,
)
from tools.train.trainer import Trainer

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


class DetectorTrainer(Trainer):
    """The detector's run: a schedule by batches as well as by time, every batch labelled by the teacher, old batches again.

    Args:
        options: the command line's.

    Raises:
        UserInputError: there is nothing to resume.
    """

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
        self.lessons = Notebook(options.notebook, options.seed)
        self.batches = 0
        optimiser = torch.optim.AdamW(self.student.parameters(), lr=options.rate, weight_decay=1e-4)
        minutes = options.minutes or math.inf
        super().__init__(
            self.student,
            optimiser,
            options.out,
            minutes=minutes,
            rate=options.rate,
            clip=30.0,
            decay=0.998,
            resume=options.resume,
        )
        if options.resume and not self.resumed:
            raise UserInputError(f"{self.checkpoint} is not there, so there is nothing to resume.")
        if not self.resumed and (options.from_official or options.start_from):
            self.steps = self.average.steps = SETTLED

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

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state of a checkpoint."""
        super().restore(state)
        self.batches, self.origin = state["batches"], state["origin"]

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        self.facts = {"batches": self.batches, "origin": self.origin}
        super().save()

    @property
    def share(self) -> float:
        """How much of the schedule has passed, 0..1: by batches or by time, whichever is further."""
        result: float = min(max(self.batches / self.options.steps, super().share), 1.0)
        return result

    def learning_rate(self) -> float:
        """One schedule while the blocks learn by themselves, another once they are joined."""
        options = self.options
        return rate(self.share, options.apart, options.apart_rate, options.rate)

    def advance(self, batch: Batch) -> dict[str, float]:
        """One new batch, and some old ones again; the loss parts of the new one."""
        lesson = prepare(self.teacher, batch, self.device)
        parts = self._learn(lesson)
        for old in self.lessons.draw(self.options.again):
            self._learn(old)
        self.lessons.add(lesson)
        return parts

    def _learn(self, lesson: Lesson) -> dict[str, float]:
        """One step of the optimiser, and the moving average."""
        options, share = self.options, self.share
        apart = share < options.apart
        self.student.train()
        if self.steps >= SETTLED:
            hold_statistics(self.student)
        parts = losses(self.student, lesson, half=options.half, apart=apart)
        # Apart, every map has a loss of its own: their sum. Joined, the maps only guide, less and less.
        guide = 0.02 + 0.98 * ((1 - share) / (1 - options.apart)) ** 2 if not apart else 1.0
        self.update(total(parts, len(lesson.maps) if apart else options.hints * guide, options.marks))
        return {name: float(value.detach()) for name, value in parts.items()}

    def train(self) -> None:
        """Train to the end of the schedule; a line of curves.csv every 20 steps, a checkpoint every 100."""
        options = self.options
        batches = loader(
            self.material,
            seed=options.seed,
            start=self.batches,
            steps=options.steps,
            batch=options.batch,
            workers=options.workers,
        )
        curves = options.out / "curves.csv"
        sums, last = dict.fromkeys(PARTS, 0.0), time.monotonic()
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        with Progress(*columns) as bar, curves.open("a", newline="") as sink:
            table = csv.writer(sink)
            task = bar.add_task("", total=options.steps, completed=self.batches)
            for batch in batches:
                parts = self.advance(batch)
                self.batches += 1
                for name, value in parts.items():
                    sums[name] += value / 20
                now = time.monotonic()
                self.trained, last = self.trained + now - last, now
                if self.batches % 20 == 0:
                    table.writerow([self.batches, round(self.trained, 1), *(round(sums[name], 5) for name in PARTS)])
                    sink.flush()
                    text = " ".join(f"{name} {sums[name]:.3f}" for name in PARTS)
                    bar.update(task, completed=self.batches, description=text)
                    sums = dict.fromkeys(PARTS, 0.0)
                if self.batches % 100 == 0:
                    self.save()
                if self.share >= 1:
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
    trainer = DetectorTrainer(options)
    trainer.train()
    trainer.finish()


if __name__ == "__main__":
    guarded(main)
