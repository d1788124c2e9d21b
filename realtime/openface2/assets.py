"""The files of an OpenFace installation that this path needs: shape model, triangulation, Action Unit models."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.errors import ModelFileError, UserInputError
from realtime.openface2.pdm import ShapeModel, read_shape_model, read_triangulation
from realtime.openface2.svr import Predictor, read_model

SHAPE_MODEL = "In-the-wild_aligned_PDM_68.txt"
TRIANGULATION = "tris_68_full.txt"
STATIC_AUS = (4, 6, 7, 10, 12, 14)
DYNAMIC_AUS = (1, 2, 5, 9, 15, 17, 20, 23, 25, 26, 45)
INTENSITY_AUS = tuple(sorted(STATIC_AUS + DYNAMIC_AUS))
OCCURRENCE_AUS = tuple(sorted((*INTENSITY_AUS, 28)))
STATIC_OCCURRENCE_AUS = (4, 5, 6, 7, 10, 12, 14, 23, 28)


@dataclass(frozen=True, slots=True)
class Assets:
    """Everything read and checked. `occurrence` is None where the installation has no classifiers.

    Attributes:
        shape: the shape model.
        triangles: (t, 3) point indices.
        intensity: regressors.
        occurrence: classifiers; None where the installation has none.
    """

    shape: ShapeModel
    triangles: NDArray[np.int32]
    intensity: Predictor
    occurrence: Predictor | None


@dataclass(frozen=True, slots=True)
class Files:
    """Where each file lies.

    Attributes:
        shape: paths.
        triangulation: likewise.
        intensity: path by Action Unit number.
        occurrence: likewise.
    """

    shape: Path
    triangulation: Path
    intensity: dict[int, Path]
    occurrence: dict[int, Path]

    def all(self) -> list[Path]:
        """Every path."""
        return [self.shape, self.triangulation, *self.intensity.values(), *self.occurrence.values()]


def find_files(folder: Path) -> Files:
    """Look for the files in `folder` and below.

    The classifiers are taken only when all 18 are there.

    Raises:
        UserInputError: it is no folder or lacks any of them.
    """
    if not folder.is_dir():
        raise UserInputError(
            f"{folder} is not a folder; run `facemirror-live models pull openface2` once, or give the folder of an OpenFace 2.2 "
            "installation with --openface2."
        )
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*"), key=lambda path: (len(path.parts), str(path))):
        if path.suffix in (".dat", ".txt") and path.is_file():
            found.setdefault(path.name, path)
    intensity = {au: file for au in INTENSITY_AUS if (file := _intensity_file(au, found)) is not None}
    missing = [name for name in (SHAPE_MODEL, TRIANGULATION) if name not in found]
    missing += [f"the intensity model of AU{au:02d}" for au in INTENSITY_AUS if au not in intensity]
    if missing:
        few = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise UserInputError(f"{folder} has no complete set of OpenFace 2.2 Action Unit models: missing {few}")
    occurrence = {
        au: found[name]
        for au in OCCURRENCE_AUS
        if (name := f"AU_{au}_{'static' if au in STATIC_OCCURRENCE_AUS else 'dynamic'}.dat") in found
    }
    if len(occurrence) < len(OCCURRENCE_AUS):
        occurrence = {}
    return Files(found[SHAPE_MODEL], found[TRIANGULATION], intensity, occurrence)


def _intensity_file(au: int, found: dict[str, Path]) -> Path | None:
    kind = "static" if au in STATIC_AUS else "dynamic"
    names = (f"AU_{au}_{kind}_intensity_comb.dat", f"AU_{au}_{kind}_intensity.dat")
    return next((found[name] for name in names if name in found), None)


def load(folder: Path) -> Assets:
    """Read and check every file below a folder.

    Args:
        folder: of the installation.

    Raises:
        UserInputError: a file is missing.
        ModelFileError: a file is not what it should be; the sentence names it.
    """
    files = find_files(folder)
    intensity = [read_model(path, au) for au, path in files.intensity.items()]
    occurrence = [read_model(path, au) for au, path in files.occurrence.items()]
    for model in intensity:
        if model.classes is not None or model.dynamic != (model.au in DYNAMIC_AUS):
            raise ModelFileError(f"{files.intensity[model.au].name} is another kind of model than its name says")
    for model in occurrence:
        if model.classes is None or model.dynamic == (model.au in STATIC_OCCURRENCE_AUS):
            raise ModelFileError(f"{files.occurrence[model.au].name} is another kind of model than its name says")
    return Assets(
        read_shape_model(files.shape),
        read_triangulation(files.triangulation),
        Predictor(intensity),
        Predictor(occurrence) if occurrence else None,
    )
