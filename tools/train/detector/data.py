"""Batches of composites, the same for the same seed and step however many worker processes make them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from tools.networks.retinaface import MEAN
from tools.train.detector.composites import Composer, Composite
from tools.train.detector.sources import Source

SIZES = (192, 192, 256, 192, 320, 192, 256, 448)


@dataclass(frozen=True)
class Batch:
    """Composites of one size."""

    made: list[Composite]

    def input(self) -> Tensor:
        """(N, 3, S, S) float32 BGR minus the mean, channels last in memory."""
        pictures = torch.from_numpy(np.stack([c.image for c in self.made]))
        return (pictures.float() - torch.tensor(MEAN)).permute(0, 3, 1, 2)


class Composites(Dataset[Composite]):
    """Composite number `index` of side `size`, addressed by (index, size)."""

    def __init__(self, sources: list[Source], seed: int) -> None:
        self._composer = Composer(sources)
        self._seed = seed

    def __getitem__(self, key: tuple[int, int]) -> Composite:
        index, size = key
        return self._composer.compose(np.random.default_rng([self._seed, index]), size)


class Steps(Sampler[list[tuple[int, int]]]):
    """The composites of each step from `start` on; sides take turns, and larger ones come in smaller batches."""

    def __init__(self, start: int, steps: int, batch: int) -> None:
        self._start, self._steps, self._batch = start, steps, batch

    def __len__(self) -> int:
        return self._steps - self._start

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for step in range(self._start, self._steps):
            size = SIZES[step % len(SIZES)]
            count = max(round(self._batch * (SIZES[0] / size) ** 2), 2)
            yield [(step * self._batch + k, size) for k in range(count)]


def loader(
    sources: list[Source], *, seed: int, start: int, steps: int, batch: int, workers: int
) -> DataLoader[Composite]:
    """Batches for steps start..steps, made ahead by `workers` processes (0: made in this one)."""
    ahead = {"prefetch_factor": 4} if workers else {}
    return DataLoader(
        Composites(sources, seed),
        batch_sampler=Steps(start, steps, batch),
        collate_fn=Batch,
        num_workers=workers,
        **ahead,
    )
