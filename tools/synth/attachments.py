"""Places on the kit's mesh, attached to three vertices each, and how they are found: along edges, or by looking from the front."""

import heapq
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tools.synth.kit import SKIN, Kit
from tools.synth.raster import rasterise

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Attachments:
    """index: (..., 3) vertices, weight: (..., 3) summing to one."""

    index: I32
    weight: F32

    def on(self, values: F32) -> F32:
        """Values (V, C) at the attached places, (..., C)."""
        result: F32 = np.einsum("...k,...kc->...c", self.weight, values[self.index]).astype(np.float32)
        return result


def edge_path(kit: Kit, anchors: list[int]) -> list[int]:
    """Shortest path along skin edges through the anchors."""
    skin = kit.triangles[kit.material == SKIN]
    neighbours: dict[int, set[int]] = {}
    for a, b, c in skin:
        for u, v in ((a, b), (b, c), (c, a)):
            neighbours.setdefault(int(u), set()).add(int(v))
            neighbours.setdefault(int(v), set()).add(int(u))
    path = [anchors[0]]
    for start, goal in pairwise(anchors):
        path += _dijkstra(kit.neutral, neighbours, start, goal)[1:]
    return path


def _dijkstra(vertices: F32, neighbours: dict[int, set[int]], start: int, goal: int) -> list[int]:
    best = {start: 0.0}
    before: dict[int, int] = {}
    queue = [(0.0, start)]
    while queue:
        distance, node = heapq.heappop(queue)
        if node == goal:
            break
        if distance > best[node]:
            continue
        for other in neighbours[node]:
            new = distance + float(np.linalg.norm(vertices[node] - vertices[other]))
            if new < best.get(other, np.inf):
                best[other] = new
                before[other] = node
                heapq.heappush(queue, (new, other))
    path = [goal]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[::-1]


def along(vertices: F32, path: list[int], fraction: float) -> tuple[I32, F32]:
    """Vertices and weights of the place at a fraction of a path's length."""
    steps = np.linalg.norm(np.diff(vertices[path], axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    target = fraction * length[-1]
    i = int(np.clip(np.searchsorted(length, target, side="right") - 1, 0, len(steps) - 1))
    t = float(np.clip((target - length[i]) / steps[i], 0, 1))
    return np.array([path[i], path[i + 1], path[i + 1]], np.int32), np.array([1 - t, t, 0], np.float32)


class FrontView:
    """The neutral skin seen along z without perspective: which triangle lies at a place (x, y) of the head frame."""

    _SCALE, _WIDTH, _HEIGHT = 40.0, 900, 1200

    def __init__(self, kit: Kit) -> None:
        self._skin = kit.triangles[kit.material == SKIN]
        screen = kit.neutral[:, :2] * [self._SCALE, -self._SCALE] + [self._WIDTH / 2, self._HEIGHT / 2]
        depth = 100 - kit.neutral[:, 2]
        self._ids, self._bary, _ = rasterise(screen.astype(np.float32), depth, self._skin, self._HEIGHT, self._WIDTH)

    def at(self, place: F32) -> tuple[I32, F32]:
        """Vertices (3,) and weights (3,) at a place (2,), the nearest covered one (the eye and mouth slits are not)."""
        x, y = np.rint(np.asarray(place) * [self._SCALE, -self._SCALE] + [self._WIDTH / 2, self._HEIGHT / 2]).astype(
            int
        )
        window = self._ids[y - 12 : y + 13, x - 12 : x + 13]
        rows, columns = np.nonzero(window >= 0)
        nearest = int(np.argmin((rows - 12) ** 2 + (columns - 12) ** 2))
        y, x = y - 12 + int(rows[nearest]), x - 12 + int(columns[nearest])
        return self._skin[self._ids[y, x]], self._bary[y, x]
