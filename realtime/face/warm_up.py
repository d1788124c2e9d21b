"""Compile every kernel before going live, so that the first face does not wait for a compiler."""

import numpy as np

from realtime.face import wflw
from realtime.face.alignment import Aligner, canonical, warp_grey
from realtime.face.appearance import Appearance
from realtime.face.contract import LandmarkContract
from realtime.face.crops import crop_from_box, crop_from_points, five_of
from realtime.face.detector import DetectorInput
from realtime.face.face_model import HEAD_3D
from realtime.face.geometry import bounds, middle_of
from realtime.face.landmarks import LandmarkModel
from realtime.face.matching import face_box
from realtime.face.mirroring import Mirror, midline, mirror_in_place
from realtime.face.point_flow import PointFlow
from realtime.face.pose import estimate_pose
from realtime.face.retinaface import decode, priors
from realtime.face.scene_change import SceneChange
from realtime.face.settings import FaceSettings
from realtime.face.skin_flow import SkinFlow, settle
from realtime.face.smoothing import Smoother
from realtime.face.visibility import detail_of


def warm_up(settings: FaceSettings = FaceSettings()) -> None:  # noqa: B008  frozen
    """Run each piece of the face path once on a made-up picture; with compiled code in the cache, some tens of milliseconds.

    Args:
        settings: of the face path.
    """
    image = np.random.default_rng(0).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    image.flags.writeable = False  # as captured frames are: to the compiler that is another type
    points = canonical(112) + np.float32(60)
    zeros, ones = np.zeros(3, np.float32), np.ones(3, np.float32)
    DetectorInput(settings.detector).prepare(image)
    count = len(priors(64, 64))
    conf = np.zeros((1, count, 2), np.float32)
    conf[0, :2, 1] = 0.9
    loc, landmarks = np.zeros((1, count, 4), np.float32), np.zeros((1, count, 10), np.float32)
    decode(loc, conf, landmarks, height=64, width=64)
    flow = PointFlow(settings.flow)
    flow.anchor(image, points)
    moved = flow.move(image)
    contract = LandmarkContract(size=112, covariance="unit")
    found = {"points": np.full((wflw.POINTS, 2), 0.5, np.float32), "covariance": np.ones((wflw.POINTS, 3), np.float32)}
    network = LandmarkModel(lambda _crop: found, contract)
    for crop in (crop_from_points(points, contract), crop_from_box(bounds(points), five_of(points), contract)):
        network.locate(image, crop)
    aligner = Aligner(112)
    warp_grey(image, aligner.matrix(points), 112, (0, 0), np.empty((16, 16), np.uint8))
    patch = aligner.tensor(image, points, zeros, ones, rgb=True)
    Appearance.of(patch)
    detail_of(patch)
    scenes = SceneChange(0.2, 0.5)
    for _ in range(2):
        scenes.update(image)
    smoother = Smoother(settings.smoothing)
    for frame in range(3):
        smoother.update(points, frame / 30, moved=moved if frame == 2 else None, covariance=_unit_covariance())
    estimate_pose(points, model=HEAD_3D)
    face_box(points)
    skin, window = (
        SkinFlow((16, 16), cells=(1, 1), fine=(2, 2), coarse=(1, 1)),
        np.ascontiguousarray(image[:16, :16, 0]),
    )
    skin.moved(skin.template(window), window)
    middle_of(points, np.array(wflw.LEFT_EYE))
    settle(window, False, np.empty(window.size, np.float32))
    line = midline(points)
    if line is not None:
        Mirror(64, 64).update(image, line)
        mirror_in_place(image, line, keep="right")


def _unit_covariance() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.tile(np.eye(2, dtype=np.float32), (wflw.POINTS, 1, 1))
