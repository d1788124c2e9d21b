"""A synthetic installation, the real one where the development material is here, and a textured picture."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.openface2.assets import Assets, load
from realtime.openface2.pdm import ShapeModel
from tests.openface2 import synthetic


@pytest.fixture(scope="session")
def model() -> ShapeModel:
    return synthetic.shape_model()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic.write_installation(tmp_path_factory.mktemp("openface"))


@pytest.fixture(scope="session")
def assets(installation: Path) -> Assets:
    return load(installation)


@pytest.fixture(scope="session")
def real_folder(shared: Path) -> Path:
    return shared / "models" / "openface_au_2016"


@pytest.fixture(scope="session")
def real(real_folder: Path) -> Assets:
    return load(real_folder)


@pytest.fixture(scope="session")
def texture() -> np.ndarray:
    """A smooth random colour picture, 480x640."""
    rng = np.random.default_rng(3)
    small = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return cv2.GaussianBlur(cv2.resize(small, (640, 480), interpolation=cv2.INTER_CUBIC), (0, 0), 2)
