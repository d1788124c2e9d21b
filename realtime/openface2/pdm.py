"""The point distribution model: a mean face of 68 points in mm and the directions in which faces and expressions vary.

File format (OpenFace's text model): `#` comment lines, then three matrices, each as rows, columns, OpenCV type and the
numbers in row order: mean shape (3n, 1), principal components (3n, m), eigenvalues (1, m). Coordinates are stacked:
all x, then all y, then all z; x to the image's right, y down, z away from the camera, all in mm.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.errors import ModelFileError
from realtime.files import reason
from realtime.types import F64

POINTS = 68
MODES = 34


@dataclass(frozen=True, slots=True)
class ShapeModel:
    """A 68-point model.

    Attributes:
        mean: (3, 68) mm.
        basis: (204, 34), stacked as in the file.
        eigenvalues: (34,) variances in mm squared.
    """

    mean: F64
    basis: F64
    eigenvalues: F64

    @property
    def modes_first(self) -> F64:
        """(34, 3, 68) contiguous copy of the basis, one mode after the other."""
        return np.ascontiguousarray(self.basis.T).reshape(-1, 3, POINTS)

    def shape(self, local: F64) -> F64:
        """(3, 68) mm: the face that the local parameters (34,) describe, in the model's own frame."""
        return self.mean + (self.basis @ local).reshape(3, POINTS)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the mean face in mm."""
        x, y = self.mean[0], self.mean[1]
        return float(x.max() - x.min()), float(y.max() - y.min())


def read_shape_model(path: Path) -> ShapeModel:
    """Read a 68-point model.

    Args:
        path: of the file.

    Raises:
        ModelFileError: the file is missing, malformed, or has another size.
    """
    matrices = read_text_matrices(path)
    if len(matrices) != 3:
        raise ModelFileError(
            f"{path.name} holds {len(matrices)} matrices; a shape model has 3 (mean, basis, eigenvalues)"
        )
    mean, basis, eigenvalues = matrices
    if mean.shape[1] != 1 or mean.shape[0] % 3:
        raise ModelFileError(f"{path.name}: the mean shape is {mean.shape[0]}x{mean.shape[1]}, not 3n x 1")
    points = mean.shape[0] // 3
    if points != POINTS:
        raise ModelFileError(f"{path.name} is a shape model of {points} points; the Action Unit path needs {POINTS}")
    if basis.shape != (3 * POINTS, MODES):
        raise ModelFileError(
            f"{path.name}: the basis is {basis.shape[0]}x{basis.shape[1]}, expected {3 * POINTS}x{MODES}"
        )
    if eigenvalues.size != MODES or not bool(np.all(eigenvalues > 0)):
        raise ModelFileError(f"{path.name}: expected {MODES} positive eigenvalues, found {eigenvalues.size}")
    return ShapeModel(mean.reshape(3, POINTS), basis, eigenvalues.ravel())


def read_triangulation(path: Path) -> NDArray[np.int32]:
    """Read the triangles of the 68 points.

    Args:
        path: of the file.

    Returns:
        (t, 3) point indices below 68.

    Raises:
        ModelFileError: the file is missing or names other points.
    """
    matrices = read_text_matrices(path)
    if len(matrices) != 1 or matrices[0].shape[1] != 3 or matrices[0].shape[0] == 0:
        raise ModelFileError(f"{path.name} is not a list of triangles (rows of three point numbers)")
    triangles = matrices[0]
    if not bool(np.all((triangles >= 0) & (triangles < POINTS) & (triangles == np.floor(triangles)))):
        raise ModelFileError(f"{path.name} names points outside 0..{POINTS - 1}")
    return triangles.astype(np.int32)


def read_text_matrices(path: Path) -> list[F64]:
    """Every matrix of one of OpenFace's text files, in order.

    Args:
        path: of the file.

    Raises:
        ModelFileError: the file is missing or malformed.
    """
    try:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({reason(error)}).") from None
    words = " ".join(line for line in text.splitlines() if not line.lstrip().startswith("#")).split()
    try:
        numbers = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise ModelFileError(f"{path.name} is not a text of numbers: {error}") from error
    if not bool(np.all(np.isfinite(numbers))):
        raise ModelFileError(f"{path.name} holds numbers that are not finite")
    matrices: list[F64] = []
    at = 0
    while at < numbers.size:
        if at + 3 > numbers.size:
            raise ModelFileError(f"{path.name} ends in the middle of a matrix header")
        rows, columns = int(numbers[at]), int(numbers[at + 1])
        end = at + 3 + rows * columns
        if rows <= 0 or columns <= 0 or end > numbers.size:
            raise ModelFileError(f"{path.name} announces a {rows}x{columns} matrix but is too short for it")
        matrices.append(numbers[at + 3 : end].reshape(rows, columns).copy())
        at = end
    return matrices
