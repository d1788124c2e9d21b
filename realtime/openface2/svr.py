"""Linear Action Unit models: reading OpenFace's `.dat` files and predicting all Action Units at once.

Format, little endian: int32 kind (intensity: 0 static, 1 dynamic; occurrence: 4 static, 5 dynamic); dynamic intensity
models then hold a float64 cutoff; then two
matrices (means 1x4702, weights 4702x1), each as int32 rows, columns, OpenCV type (6 = float64) and the numbers; then
a float64 bias; occurrence models (SVM) then hold the two class values. Nothing may follow.
Prediction: (descriptor - means [- running median, if dynamic]) . weights + bias.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.errors import ModelFileError
from realtime.files import reason
from realtime.jit import njit
from realtime.openface2.descriptor import DESCRIPTOR
from realtime.types import F64

FLOAT64 = 6
NO_CUTOFF = -1.0
MATRIX_BYTES = 12 + 8 * DESCRIPTOR
STATIC_BYTES = 4 + 2 * MATRIX_BYTES + 8
DYNAMIC_BYTES = STATIC_BYTES + 8
OCCURRENCE_BYTES = STATIC_BYTES + 16
KINDS = {STATIC_BYTES: (0,), DYNAMIC_BYTES: (1,), OCCURRENCE_BYTES: (4, 5)}


@dataclass(frozen=True, slots=True)
class LinearModel:
    """One Action Unit's regressor or classifier.

    Attributes:
        au: number of the unit.
        dynamic: the person's neutral is taken off.
        cutoff: share of frames taken to be without this Action Unit (dynamic intensity models), or -1.
        means: (d,) of the descriptor.
        weights: (d,).
        bias: of the line.
        classes: values below and above the decision line (occurrence models), or None for an intensity.
    """

    au: int
    dynamic: bool
    cutoff: float
    means: F64
    weights: F64
    bias: float
    classes: tuple[float, float] | None = None


def read_model(path: Path, au: int) -> LinearModel:
    """Read one `.dat` file.

    Args:
        path: of the file.
        au: number of the unit.

    Raises:
        ModelFileError: it is missing or is not exactly such a model.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({reason(error)}).") from None
    if len(data) not in KINDS:
        raise ModelFileError(
            f"{path.name} has {len(data)} bytes; a linear model of {DESCRIPTOR} values has {STATIC_BYTES} (static), "
            f"{DYNAMIC_BYTES} (dynamic) or {OCCURRENCE_BYTES} (occurrence)"
        )
    (kind,) = struct.unpack_from("<i", data)
    if kind not in KINDS[len(data)]:
        raise ModelFileError(f"{path.name} calls itself kind {kind}, which does not fit its size")
    occurrence = len(data) == OCCURRENCE_BYTES
    at = 4
    cutoff = NO_CUTOFF
    if kind == 1:
        (cutoff,) = struct.unpack_from("<d", data, at)
        at += 8
    means = _matrix(path, data, at, (1, DESCRIPTOR))
    weights = _matrix(path, data, at + MATRIX_BYTES, (DESCRIPTOR, 1))
    at += 2 * MATRIX_BYTES
    bias, *classes = struct.unpack_from("<3d" if occurrence else "<d", data, at)
    if not np.isfinite([cutoff, bias, *classes]).all() or not (cutoff == NO_CUTOFF or 0.0 <= cutoff < 1.0):
        raise ModelFileError(f"{path.name} holds a cutoff or bias that makes no sense ({cutoff}, {bias})")
    # The file names the class above the line first.
    pair = (classes[1], classes[0]) if occurrence else None
    return LinearModel(au, kind in (1, 5), cutoff, means, weights, bias, pair)


def _matrix(path: Path, data: bytes, at: int, shape: tuple[int, int]) -> F64:
    rows, columns, type_ = struct.unpack_from("<3i", data, at)
    if (rows, columns) != shape or type_ != FLOAT64:
        raise ModelFileError(
            f"{path.name}: found a {rows}x{columns} matrix of type {type_}, expected {shape[0]}x{shape[1]} of 6"
        )
    values = np.frombuffer(data, "<f8", rows * columns, at + 12).astype(np.float64)
    if not bool(np.isfinite(values).all()):
        raise ModelFileError(f"{path.name} holds numbers that are not finite")
    return values


class Predictor:
    """All models of one kind stacked, static ones first, so that one pass over the weights predicts every Action Unit."""

    def __init__(self, models: list[LinearModel]) -> None:
        ordered = sorted(models, key=lambda model: (model.dynamic, model.au))
        self.models = tuple(ordered)
        self.aus = tuple(model.au for model in ordered)
        self.dynamic: NDArray[np.bool_] = np.array([model.dynamic for model in ordered], np.bool_)
        self.cutoffs: F64 = np.array([model.cutoff for model in ordered])
        self._static_count = int((~self.dynamic).sum())
        self._weights = np.ascontiguousarray([model.weights for model in ordered]).reshape(-1, DESCRIPTOR)
        # (f - means) . w + b = f . w + (b - means . w): the constant is summed once, in extended precision.
        wide = [float(np.dot(model.means.astype(np.longdouble), model.weights)) for model in ordered]
        self._offset: F64 = np.array([model.bias for model in ordered]) - np.array(wide)
        self.class_values: F64 = np.array([model.classes or (0.0, 1.0) for model in ordered]).reshape(-1, 2)

    def parts(self, descriptor: F64, median: F64) -> tuple[F64, F64]:
        """(models,) what the frame says and (models,) what the neutral takes from it; prediction = first - second.

        The second is 0 for static models, and NaN for dynamic ones while the median is NaN. Keeping the two apart lets
        a whole session be predicted again with its final median, without keeping any descriptor.

        Args:
            descriptor: (d,) of the frame.
            median: (d,) the person's neutral.
        """
        frame, neutral = np.empty(len(self.models)), np.empty(len(self.models))
        _predict(self._weights, self._offset, self._static_count, descriptor, median, frame, neutral)
        return frame, neutral

    def predict(self, descriptor: F64, median: F64) -> F64:
        """(models,) unclipped predictions in the order of `aus`.

        Args:
            descriptor: (d,) of the frame.
            median: (d,) the person's neutral.
        """
        frame, neutral = self.parts(descriptor, median)
        return frame - neutral

    def classes(self, predictions: F64) -> F64:
        """Class values of occurrence models for their (..., models) predictions; NaN stays NaN."""
        return classes_of(predictions, self.class_values)


def classes_of(predictions: F64, class_values: F64) -> F64:
    """The class of each prediction.

    Args:
        predictions: (..., models).
        class_values: (models, 2), below and above 0. NaN stays NaN.
    """
    decided = np.where(predictions > 0, class_values[:, 1], class_values[:, 0])
    out: F64 = np.where(np.isnan(predictions), np.nan, decided)
    return out


@njit(nogil=True, fastmath={"reassoc", "contract"})
def _predict(
    weights: F64, offset: F64, static_count: int, descriptor: F64, median: F64, frame: F64, neutral: F64
) -> None:
    length = descriptor.size
    for i in range(weights.shape[0]):
        total = 0.0
        if i < static_count:
            for k in range(length):
                total += weights[i, k] * descriptor[k]
            neutral[i] = 0.0
        else:
            base = 0.0
            for k in range(length):
                total += weights[i, k] * descriptor[k]
                base += weights[i, k] * median[k]
            neutral[i] = base
        frame[i] = total + offset[i]
