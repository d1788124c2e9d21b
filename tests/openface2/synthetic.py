"""A made-up OpenFace installation: right in form and size, random in content, so that tests need none of its files."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.spatial import Delaunay

from realtime.face.face_model import FACE_3D
from realtime.face.wflw import TO_68
from realtime.openface2.assets import (
    DYNAMIC_AUS,
    OCCURRENCE_AUS,
    SHAPE_MODEL,
    STATIC_AUS,
    STATIC_OCCURRENCE_AUS,
    TRIANGULATION,
)
from realtime.openface2.descriptor import APPEARANCE, DESCRIPTOR
from realtime.openface2.pdm import MODES, POINTS, ShapeModel


def shape_model() -> ShapeModel:
    """The mean face with smooth random modes of falling variance."""
    mean = np.asarray(FACE_3D, np.float64)[list(TO_68)].T.copy()
    mean *= 145.0 / np.ptp(mean[0])
    if mean[1, 8] < mean[1, 27]:  # y down, z away from the camera
        mean[1:] *= -1
    mean -= mean.mean(axis=1, keepdims=True)
    rng = np.random.default_rng(7)
    near = np.exp(-np.sum((mean.T[:, None] - mean.T[None]) ** 2, axis=2) / (2 * 25.0**2))
    modes = np.concatenate([near @ rng.normal(size=(POINTS, MODES)) for _ in range(3)])
    basis, _ = np.linalg.qr(modes)
    return ShapeModel(mean, basis, np.geomspace(800.0, 0.6, MODES))


def triangles(model: ShapeModel) -> np.ndarray:
    return Delaunay(model.mean[:2].T).simplices.astype(np.int32)


def matrix_text(values: np.ndarray, type_: int = 6) -> str:
    rows = "\n".join(" ".join(f"{v:.9g}" for v in row) for row in values)
    return f"{values.shape[0]}\n{values.shape[1]}\n{type_}\n{rows}\n"


def write_shape_model(path: Path, model: ShapeModel) -> None:
    path.write_text(
        "# mean\n"
        + matrix_text(model.mean.reshape(-1, 1))
        + "# components\n"
        + matrix_text(model.basis)
        + "# variances\n"
        + matrix_text(model.eigenvalues[None])
    )


def dat(
    kind: int,
    means: np.ndarray,
    weights: np.ndarray,
    bias: float,
    *,
    cutoff: float | None = None,
    classes: Sequence[float] | None = None,
) -> bytes:
    """The bytes of one linear model."""
    size = len(means)
    parts = [struct.pack("<i", kind)]
    if cutoff is not None:
        parts.append(struct.pack("<d", cutoff))
    parts += [struct.pack("<3i", 1, size, 6), means.astype("<f8").tobytes()]
    parts += [struct.pack("<3i", size, 1, 6), weights.astype("<f8").tobytes()]
    parts.append(struct.pack("<d", bias))
    if classes is not None:
        parts.append(struct.pack("<2d", *classes))
    return b"".join(parts)


def write_installation(folder: Path, *, occurrence: bool = True) -> Path:
    """A folder as OpenFace's AU_predictors."""
    rng = np.random.default_rng(11)
    model = shape_model()
    write_shape_model(folder / SHAPE_MODEL, model)
    (folder / TRIANGULATION).write_text(matrix_text(triangles(model), 4))
    for name in ("svr_combined", "svm_combined"):
        (folder / name).mkdir()
    means = np.concatenate([rng.uniform(0, 0.3, APPEARANCE), np.zeros(DESCRIPTOR - APPEARANCE)])

    def weights() -> np.ndarray:
        appearance = rng.normal(size=APPEARANCE) * 0.03
        return np.concatenate([appearance, rng.normal(size=DESCRIPTOR - APPEARANCE) * 0.01])

    for au in STATIC_AUS:
        path = folder / "svr_combined" / f"AU_{au}_static_intensity_comb.dat"
        path.write_bytes(dat(0, means, weights(), rng.normal()))
    for au in DYNAMIC_AUS:
        ending = "" if au in (5, 20, 9) else "_comb"
        path = folder / "svr_combined" / f"AU_{au}_dynamic_intensity{ending}.dat"
        path.write_bytes(dat(1, means, weights(), rng.normal(), cutoff=0.4))
    for au in OCCURRENCE_AUS if occurrence else ():
        kind = "static" if au in STATIC_OCCURRENCE_AUS else "dynamic"
        path = folder / "svm_combined" / f"AU_{au}_{kind}.dat"
        path.write_bytes(dat(4 if kind == "static" else 5, means, weights(), rng.normal(), classes=(1.0, 0.0)))
    return folder
