"""Finding faces in large pictures with a RetinaFace ONNX file: tiles, several scales, one list of boxes.

Offline only: it rebuilds what it needs per picture size and favours recall over speed. The anchors and the
decoding follow Pytorch_Retinaface (MIT): min sizes 16..512 on strides 8/16/32, variances 0.1 and 0.2.
"""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

MEAN_BGR = np.array((104.0, 117.0, 123.0), np.float32)
MIN_SIZES = ((16, 32), (64, 128), (256, 512))
STRIDES = (8, 16, 32)
TILE = 1024
"""Side of the window that slides over a large collage, pixels."""
LARGEST = 320
"""A longer box (pixels of a tile) is left to the next smaller scale, which sees the whole face."""


@lru_cache(maxsize=32)
def anchors(height: int, width: int) -> F32:
    """Prior boxes (P, 4): centre x, centre y, width, height, as fractions of the picture."""
    rows = []
    for sizes, stride in zip(MIN_SIZES, STRIDES, strict=True):
        ny, nx = -(-height // stride), -(-width // stride)
        cy, cx = np.meshgrid(
            (np.arange(ny) + 0.5) * stride / height, (np.arange(nx) + 0.5) * stride / width, indexing="ij"
        )
        level = np.stack(
            [np.stack([cx, cy, np.full_like(cx, s / width), np.full_like(cy, s / height)], -1) for s in sizes], 2
        )
        rows.append(level.reshape(-1, 4))
    return np.concatenate(rows).astype(np.float32)


def decode(loc: F32, marks: F32, height: int, width: int) -> tuple[F32, F32]:
    """Boxes (P, 4) x1, y1, x2, y2 and points (P, 5, 2) in pixels from the network's offsets."""
    prior = anchors(height, width)
    centre = prior[:, :2] + loc[:, :2] * 0.1 * prior[:, 2:]
    size = prior[:, 2:] * np.exp(loc[:, 2:] * 0.2)
    scale = np.array((width, height), np.float32)
    boxes = np.concatenate([(centre - size / 2) * scale, (centre + size / 2) * scale], 1)
    points = (prior[:, None, :2] + marks.reshape(-1, 5, 2) * 0.1 * prior[:, None, 2:]) * scale
    return boxes.astype(np.float32), points.astype(np.float32)


def overlap_of_smaller(box: F32, boxes: F32) -> F32:
    """Intersection over the smaller area of one box (4,) with many (N, 4): 1 where one lies inside the other."""
    inter = np.prod(np.clip(np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2]), 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    result: F32 = inter / np.maximum(np.minimum(areas, np.prod(box[2:] - box[:2])), 1e-6)
    return result


def suppress(boxes: F32, scores: F32, threshold: float = 0.5) -> list[int]:
    """Greedy suppression of boxes that mostly cover each other, nested ones too; the indices kept, best first."""
    order = np.argsort(-scores)
    keep: list[int] = []
    while order.size:
        best = int(order[0])
        keep.append(best)
        order = order[1:][overlap_of_smaller(boxes[best], boxes[order[1:]]) <= threshold]
    return keep


class FaceScanner:
    """Looks for every face of a picture, also of a collage far larger than the network was made for."""

    def __init__(self, model: Path, score: float = 0.6) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._score = score

    def _once(self, picture: U8) -> tuple[F32, F32, F32]:
        height, width = picture.shape[:2]
        blob = (picture.astype(np.float32) - MEAN_BGR).transpose(2, 0, 1)[None]
        loc, conf, marks = self._session.run(None, {self._input: np.ascontiguousarray(blob)})
        boxes, points = decode(loc[0], marks[0], height, width)
        good = conf[0, :, 1] > self._score
        return boxes[good], conf[0, good, 1], points[good]

    def scan(self, picture: U8, scales: tuple[float, ...] = (1.0, 0.5)) -> tuple[F32, F32, F32]:
        """Boxes (N, 4), scores (N,), points (N, 5, 2) of a BGR picture, best first, duplicates removed.

        A face cut by the border of a tile is left to the neighbouring tile, which overlaps it by half.
        """
        found: list[tuple[F32, F32, F32]] = []
        for scale in scales:
            small = (
                cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale != 1 else picture
            )
            height, width = small.shape[:2]
            for y in range(0, max(height - TILE // 2, 1), TILE // 2):
                for x in range(0, max(width - TILE // 2, 1), TILE // 2):
                    tile = small[y : y + TILE, x : x + TILE]
                    boxes, scores, points = self._once(tile)
                    inner = np.ones(len(boxes), bool)
                    th, tw = tile.shape[:2]
                    if scale != min(scales):
                        inner &= (boxes[:, 2:] - boxes[:, :2]).max(1) < LARGEST
                    inner &= (boxes[:, 0] > 2) | (x == 0)
                    inner &= (boxes[:, 1] > 2) | (y == 0)
                    inner &= (boxes[:, 2] < tw - 2) | (x + tw >= width)
                    inner &= (boxes[:, 3] < th - 2) | (y + th >= height)
                    shift = np.array((x, y), np.float32)
                    found.append(
                        ((boxes[inner] + np.tile(shift, 2)) / scale, scores[inner], (points[inner] + shift) / scale)
                    )
        boxes, scores, points = (np.concatenate(parts) for parts in zip(*found, strict=True))
        keep = suppress(boxes, scores)
        return boxes[keep], scores[keep], points[keep]
