"""A person's face at rest, against which Action Units are measured, and the running medians it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from realtime.types import F32

EMBEDDING_SIZE = 256
"""Numbers by which the Action Unit network describes one side's picture, each within 0.8 of zero (see `model`)."""

_LOWEST, _HIGHEST, _BINS = -0.8, 0.8, 640  # inter-ocular distances; a bin is 0.0025


class RunningMedian:
    """Per-dimension weighted median of all values so far, by histogram: bounded memory, cheap to feed.

    Reading it sums the histograms (about 0.2 ms for 196 dimensions), so it is read now and then, not on every frame.

    Attributes:
        weight: sum of the weights so far.
    """

    def __init__(self, dimensions: int) -> None:
        self._counts = np.zeros((dimensions, _BINS), np.int32)
        self._rows = np.arange(dimensions)
        self.weight = 0

    def update(self, vector: F32, weight: int = 1) -> None:
        """Take in one (dimensions,) vector; values outside the range count at its ends.

        Args:
            vector: (dimensions,).
            weight: how often it counts.
        """
        bins = ((vector - _LOWEST) * (_BINS / (_HIGHEST - _LOWEST))).astype(np.int32)
        self._counts[self._rows, np.clip(bins, 0, _BINS - 1)] += weight
        self.weight += weight

    def median(self) -> F32:
        """(dimensions,) centre of the first bin by which half of the weight has been counted."""
        reached = np.cumsum(self._counts, axis=1) >= (self.weight + 1) // 2
        result: F32 = (_LOWEST + (reached.argmax(axis=1) + 0.5) * ((_HIGHEST - _LOWEST) / _BINS)).astype(np.float32)
        return result


@dataclass(frozen=True, slots=True)
class Baseline:
    """A face at rest.

    Attributes:
        shape: (98, 2) descriptor.
        embedding: (2, EMBEDDING_SIZE) of the patient's left and right side; None where unknown.
        network: checksum of the network that made the embedding; to another network it says nothing.
        landmarks: checksum of the landmark network whose points the shape is made of; empty where the file does not say.
    """

    shape: F32
    embedding: F32 | None = None
    network: str = ""
    landmarks: str = ""

    def known_to(self, network: str) -> "Baseline":
        """The same baseline for this network: without the embedding where another network made it."""
        return self if self.embedding is None or self.network == network else replace(self, embedding=None)

    def valid_for(self, network: str, landmarks: str) -> bool:
        """Whether the shape means the same with these networks.

        Other landmarks lie elsewhere on the same face. Files of earlier versions do not name their landmarks: they are taken to
        be those of now where the Action Unit network is.

        Args:
            network: checksum of the Action Unit network.
            landmarks: checksum of the landmark network.
        """
        return self.landmarks == landmarks or (not self.landmarks and self.network == network)

    def as_json(self) -> dict[str, Any]:
        """For files; `from_json` reads it. The embedding's key is that of the network's output."""
        embedding = None if self.embedding is None else self.embedding.tolist()
        return {
            "shape": self.shape.tolist(),
            "look": embedding,
            "network": self.network,
            "landmarks": self.landmarks,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Baseline":
        """Read what `as_json` wrote, in this or an earlier version.

        An embedding of another length was made by another network and says nothing to this one: it is left out.

        Raises:
            KeyError, TypeError, ValueError: `content` is no baseline.
        """
        shape = np.array(content["shape"], np.float32)
        embedding = None if content["look"] is None else np.array(content["look"], np.float32)
        if shape.shape != (98, 2) or not np.isfinite(shape).all():
            raise ValueError("a shape at rest is 98 finite points")
        if embedding is not None and (
            embedding.ndim != 2 or len(embedding) != 2 or not embedding.size or not np.isfinite(embedding).all()
        ):
            raise ValueError("an embedding at rest is two rows of finite numbers")
        if embedding is not None and embedding.shape[1] != EMBEDDING_SIZE:
            embedding = None
        return cls(shape, embedding, str(content["network"]), str(content.get("landmarks", "")))
