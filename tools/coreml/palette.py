"""A palette of few values for many weights: one-dimensional k-means (Lloyd), begun at the weights' quantiles."""

import numpy as np
from numpy.typing import NDArray

ROUNDS = 20


def palette(weights: NDArray[np.floating], bits: int) -> tuple[NDArray[np.floating], NDArray[np.uint8]]:
    """(2**bits values, ascending; the index of each weight's nearest value, in the weights' shape)."""
    flat = np.sort(weights.astype(np.float64), axis=None)
    count = 2**bits
    sums = np.concatenate([[0.0], np.cumsum(flat)])
    centres = np.quantile(flat, (np.arange(count) + 0.5) / count)
    for _ in range(ROUNDS):
        # Sorted weights: a cluster is a slice between the midpoints of neighbouring centres.
        edges = np.concatenate([[0], np.searchsorted(flat, (centres[1:] + centres[:-1]) / 2), [len(flat)]])
        sizes = np.diff(edges)
        means = np.divide(sums[edges[1:]] - sums[edges[:-1]], sizes, out=centres.copy(), where=sizes > 0)
        if np.allclose(means, centres, rtol=0, atol=1e-7):
            break
        centres = np.sort(means)
    indices = np.searchsorted((centres[1:] + centres[:-1]) / 2, weights.astype(np.float64))
    return centres.astype(weights.dtype), indices.astype(np.uint8)
