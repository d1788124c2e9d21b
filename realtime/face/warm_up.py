"""Compile every kernel before going live, so that the first face does not wait for a compiler."""

from collections.abc import Callable, Mapping

import numpy as np

from realtime.face import wflw
from realtime.face.alignment import Aligner, back_to_picture, canonical, warp_grey
from realtime.face.face_model import HEAD_3D
from realtime.face.geometry import fit_similarity, middle_of, transform
from realtime.face.matching import face_box
from realtime.face.mirroring import Mirror, midline
from realtime.face.point_flow import PointFlow
from realtime.face.pose import estimate_pose, left_over
from realtime.face.scene_change import SceneChange
from realtime.face.settings import FaceSettings
from realtime.face.skin_flow import SkinFlow, settle
from realtime.face.smoothing import Smoother
from realtime.types import U8


def warm_up(settings: FaceSettings = FaceSettings()) -> None:  # noqa: B008  frozen
    """Run each compiled piece that a measured picture needs; with compiled code in the cache, some tens of milliseconds.

    Args:
        settings: of the face path.
    """
    for part in PARTS.values():
        part(settings)


def _follow(settings: FaceSettings) -> None:
    """Points from one frame to the next, their smoothing, and the head's pose."""
    image, points = _picture(), canonical(112) + np.float32(60)
    # Both parts need these two: they are compiled here at the start, and loaded there at the end.
    fit_similarity(points, points, np.ones(wflw.POINTS, np.float32))
    transform(np.eye(2, 3), points)
    flow = PointFlow(settings.flow)
    flow.anchor(image, points)
    moved = flow.move(image)
    scenes = SceneChange(0.2, 0.5)
    for _ in range(2):
        scenes.update(image)
    smoother = Smoother(settings.smoothing)
    covariance = np.tile(np.eye(2, dtype=np.float32), (wflw.POINTS, 1, 1))
    for frame in range(3):
        smoother.update(points, frame / 30, moved=moved if frame == 2 else None, covariance=covariance)
    pose = estimate_pose(points, model=HEAD_3D)
    assert pose is not None
    left_over(points, HEAD_3D, pose.rotation, pose.centre, pose.scale, 1.0)
    face_box(points)
    middle_of(points, np.array(wflw.LEFT_EYE))


def _look(_settings: FaceSettings) -> None:
    """The networks' windows, and the movement of the skin."""
    image, points = _picture(), canonical(112) + np.float32(60)
    zeros, ones = np.zeros(3, np.float32), np.ones(3, np.float32)
    skin, window = (
        SkinFlow((16, 16), cells=(1, 1), fine=(2, 2), coarse=(1, 1)),
        np.ascontiguousarray(image[:16, :16, 0]),
    )
    skin.moved(skin.template(window), window)
    settle(window, False, np.empty(window.size, np.float32))
    aligner = Aligner(112)
    aligner.tensor(image, points, zeros, ones, rgb=True)
    warp_grey(image, back_to_picture(aligner.matrix(points)), 112, (0, 0), np.empty((16, 16), np.uint8))
    transform(aligner.matrix(points), points)


PARTS: Mapping[str, Callable[[FaceSettings], None]] = {"follow": _follow, "look": _look}
"""What a measured picture needs, in parts that take about as long to compile; a first start compiles them side by side."""


def warm_up_mirror() -> None:
    """Run what only the mirrored views need."""
    image = _picture()
    line = midline(canonical(112) + np.float32(60))
    assert line is not None
    Mirror(64, 64).update(image, line)


def _picture() -> U8:
    image = np.random.default_rng(0).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    image.flags.writeable = False  # as captured frames are: to the compiler that is another type
    return image
