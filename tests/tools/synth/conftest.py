"""A tiny bank: one head fitted to nothing but a painted picture, so that sampling can be tested without photographs."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tools.synth.camera import Camera, project, rotation, to_camera
from tools.synth.fit import Fit
from tools.synth.kit import Kit, load_kit
from tools.synth.photographs import CANVAS
from tools.synth.points import place, point_model
from tools.synth.raster import vertex_normals
from tools.synth.textures import fitted_entry


@pytest.fixture(scope="session")
def kit(shared: Path) -> Kit:
    """ICT-FaceKit."""
    return load_kit(shared / "faces" / "ict_facekit" / "ict_facekit_light.npz")


def painted(points: np.ndarray) -> np.ndarray:
    """A picture with skin, brows and lips where the points (98, 2) say."""
    picture = np.full((CANVAS, CANVAS, 3), (120, 140, 90), np.uint8)
    cv2.ellipse(picture, (CANVAS // 2, CANVAS // 2), (130, 175), 0, 0, 360, (150, 170, 210), -1)
    for first, end, colour in ((33, 42, (40, 50, 60)), (42, 51, (40, 50, 60)), (76, 88, (90, 90, 190))):
        cv2.fillPoly(picture, [np.rint(points[first:end]).astype(np.int32)], colour)
    return picture


@pytest.fixture(scope="session")
def bank(kit: Kit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two training heads and a held-out one, of random identities."""
    folder = tmp_path_factory.mktemp("bank")
    rng = np.random.default_rng(0)
    camera = Camera(920.0, (CANVAS / 2 - 0.5, CANVAS / 2 - 0.5))
    for number in range(3):
        identity = rng.normal(0, 0.7, 100).astype(np.float32)
        expression = np.zeros(57, np.float32)
        matrix, translation = rotation(rng.normal(0, 5), 0, 0), np.array([0.0, 0.0, 80.0])
        seen = to_camera(kit.shape(identity, expression), matrix, translation)
        points = place(point_model(kit), seen, vertex_normals(seen, kit.triangles), project(seen, camera))
        fit = Fit(identity, expression, matrix, translation, camera, np.zeros((98, 2), np.float32))
        entry = fitted_entry(kit, painted(points), fit, points, np.array([40, 60, 90], np.float32), 256)
        np.savez(folder / f"head_{number:05d}.npz", **entry, source=np.array("painted"), held_out=np.array(number == 2))
    return folder
