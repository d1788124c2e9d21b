"""Cadence, scene changes, presence, matching, and the detector's input."""

import cv2
import numpy as np
import pytest

from realtime.errors import ModelFileError
from realtime.face import matching, wflw
from realtime.face.appearance import Appearance, plausibility
from realtime.face.crops import five_of
from realtime.face.detection_schedule import Cadence
from realtime.face.detector import DetectorInput, FaceDetector
from realtime.face.face_model import FACE_2D
from realtime.face.geometry import iou
from realtime.face.pose import estimate_pose
from realtime.face.retinaface import priors
from realtime.face.scene_change import SceneChange, thumbnail
from realtime.face.settings import CadenceSettings, DetectorSettings, FaceSettings, TrackerSettings
from realtime.face.warm_up import warm_up
from realtime.types import F32, U8, Detection, Frame

BOX = np.array((300, 100, 380, 200), np.float32)
SIZE = (360, 640)
SETTINGS = TrackerSettings()


def noise(height: int, width: int, seed: int = 0, blur: float = 3.0) -> U8:
    rng = np.random.default_rng(seed)
    return cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3), dtype=np.uint8), (0, 0), blur)


# cadence


def test_interval_grows_to_its_longest_and_falls_at_a_doubt() -> None:
    cadence = Cadence(CadenceSettings(shortest=4, longest=20, growth=2.0))
    cadence.found(0)
    intervals = [cadence.interval]
    for _ in range(4):
        cadence.agreed(cadence.next_pass.due, BOX, *SIZE)
        intervals.append(cadence.interval)
    assert intervals == [4, 8, 16, 20, 20]
    cadence.doubtful(100, BOX, *SIZE)
    assert (cadence.next_pass.due, cadence.next_pass.every, cadence.interval) == (100, 1, 4)


def test_a_tracked_face_is_searched_in_its_region_and_now_and_then_in_the_whole_picture() -> None:
    cadence = Cadence(CadenceSettings(whole_every=3))
    cadence.found(0)
    regions = []
    for _ in range(6):
        cadence.agreed(cadence.next_pass.due, BOX, *SIZE)
        regions.append(cadence.next_pass.region is None)
    assert regions == [False, False, True, False, False, True]


def test_lost_face_is_searched_near_then_everywhere() -> None:
    cadence = Cadence(CadenceSettings(near_looks=2))
    cadence.lost(10, BOX, *SIZE)
    regions = [cadence.next_pass.region]
    for i in range(3):
        cadence.searched(11 + i, *SIZE)
        regions.append(cadence.next_pass.region)
    assert [r is None for r in regions] == [False, False, True, True]
    assert cadence.next_pass.every == 1


def test_after_a_cut_the_whole_picture_is_searched() -> None:
    cadence = Cadence()
    cadence.lost(10, None, *SIZE)
    assert cadence.next_pass.region is None


def test_region_is_a_square_around_the_face_inside_the_picture() -> None:
    cadence = Cadence(CadenceSettings(near_size=2.0))
    assert cadence.region(BOX, *SIZE) == (240, 50, 440, 250)
    region = cadence.region(np.array((-20, -30, 60, 50), np.float32), *SIZE)
    assert region is not None
    x0, y0, x1, y1 = region
    assert (x0, y0) == (0, 0)
    assert x1 <= 640
    assert y1 <= 360
    assert cadence.region(np.array((100, 50, 400, 350), np.float32), *SIZE) is None
    assert cadence.region(np.array((900, 50, 950, 100), np.float32), *SIZE) is None


# scene


def test_first_picture_is_no_change_and_motion_is_none() -> None:
    scene = SceneChange(SETTINGS.cut_difference, SETTINGS.cut_share)
    picture = noise(360, 640, blur=25)
    picture = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)
    assert not scene.update(picture)
    assert not any(scene.update(np.roll(picture, 6 * i, axis=1)) for i in range(1, 10))


def test_cut_is_seen_and_light_is_not() -> None:
    first = cv2.normalize(noise(360, 640, 1, 20), None, 0, 180, cv2.NORM_MINMAX)
    second = cv2.normalize(noise(360, 640, 2, 20), None, 0, 255, cv2.NORM_MINMAX)
    scene = SceneChange(SETTINGS.cut_difference, SETTINGS.cut_share)
    scene.update(first)
    assert not scene.update(first + np.uint8(60))
    assert scene.update(second)


# presence


def test_plausible_is_a_face_where_it_was_looked_for() -> None:
    points = (FACE_2D * 80 + 200).astype(np.float32)
    scrambled = points[np.random.default_rng(0).permutation(98)]
    assert plausibility(estimate_pose(points), 0.0, 1.0) > 0.9
    assert plausibility(estimate_pose(scrambled), 0.0, 1.0) < 0.1
    assert plausibility(estimate_pose(points), 0.4, 1.0) < 0.1
    assert plausibility(estimate_pose(points), 0.0, 1.5) < 0.1
    assert plausibility(None, 0.0, 1.0) == 0


def test_appearance_knows_the_face_again() -> None:
    patch = noise(112, 112, 3, 6).transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    other = noise(112, 112, 4, 6).transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    memory = Appearance()
    assert memory.likeness(Appearance.of(patch)) == 1
    memory.learn(Appearance.of(patch))
    assert memory.likeness(Appearance.of(np.float32(0.5) * patch + np.float32(0.2))) > 0.99
    assert memory.likeness(Appearance.of(other)) < 0.4
    memory.reset()
    assert memory.likeness(Appearance.of(other)) == 1


def test_flat_patch_is_like_nothing() -> None:
    memory = Appearance()
    memory.learn(Appearance.of(noise(112, 112).transpose(2, 0, 1).astype(np.float32)))
    assert memory.likeness(Appearance.of(np.zeros((3, 112, 112), np.float32))) == pytest.approx(0, abs=1e-6)


# matching


def seen(x: int, y: int, size: float = 80.0, score: float = 0.9) -> Detection:
    points = (FACE_2D * size + (x, y)).astype(np.float32)
    return Detection(matching.face_box(points), score, five_of(points))


def test_iou_by_hand() -> None:
    a, b = np.array((0, 0, 4, 4), np.float32), np.array((2, 2, 6, 6), np.float32)
    assert iou(a, b) == pytest.approx(4 / 28)
    assert iou(a, np.array((5, 5, 9, 9), np.float32)) == 0
    assert iou(a, a) == 1


def test_best_match_is_the_one_that_overlaps_most() -> None:
    faces = (seen(100, 100, score=0.99), seen(210, 100, score=0.5))
    assert matching.best_match(faces, seen(200, 100).box, 0.3) is faces[1]
    assert matching.best_match(faces, seen(500, 100).box, 0.3) is None
    assert matching.best_match((), seen(0, 0).box, 0.3) is None


def test_choice_prefers_the_lost_face_then_the_largest() -> None:
    small, large = seen(100, 100, 50), seen(400, 100, 90)
    assert matching.choose((small, large), None) is large
    assert matching.choose((small, large), seen(105, 98, 52).box) is small
    assert matching.choose((), None) is None


def test_eye_drift_in_eye_distances() -> None:
    face = seen(200, 150)
    points = (FACE_2D * 80 + (200, 150)).astype(np.float32)
    assert matching.eye_drift(face, matching.eye_centres(points)) == pytest.approx(0, abs=1e-5)
    between = np.hypot(*(face.points[1] - face.points[0]))
    moved = matching.eye_centres(points + np.array((0, between), np.float32))
    assert matching.eye_drift(face, moved) == pytest.approx(1, abs=1e-4)


def test_a_searched_region_must_cover_most_of_the_box() -> None:
    box = np.array((100, 100, 200, 200), np.float32)
    assert matching.searched_region_covers(None, box)
    assert matching.searched_region_covers((90, 90, 210, 210), box)
    assert not matching.searched_region_covers((150, 90, 400, 210), box)


# detector


def test_whole_picture_keeps_its_shape_and_width() -> None:
    prepare = DetectorInput(DetectorSettings(width=320))
    blob, mapping = prepare.prepare(noise(720, 1280))
    assert blob.shape == (1, 3, 180, 320)
    assert (mapping.scale_x, mapping.scale_y, mapping.x0, mapping.y0) == (4, 4, 0, 0)


def test_region_is_mapped_back_to_the_frame() -> None:
    prepare = DetectorInput(DetectorSettings(region_side=160))
    blob, mapping = prepare.prepare(noise(720, 1280), (100, 50, 420, 370))
    assert blob.shape == (1, 3, 160, 160)
    assert (mapping.scale_x, mapping.scale_y, mapping.x0, mapping.y0) == (2, 2, 100, 50)


@pytest.mark.parametrize("rgb", [False, True])
def test_pixels_are_bgr_minus_mean(rgb: bool) -> None:
    prepare = DetectorInput(DetectorSettings(width=96), rgb=rgb, mean=(1.0, 2.0, 3.0), scale=(1.0, 0.5, 2.0))
    image = np.full((72, 96, 3), (10, 20, 30), np.uint8)
    expected = ((30 - 1) * 1, (20 - 2) * 0.5, (10 - 3) * 2) if rgb else ((10 - 1) * 1, (20 - 2) * 0.5, (30 - 3) * 2)
    assert np.all(prepare.prepare(image)[0] == np.array(expected, np.float32)[None, :, None, None])


@pytest.mark.parametrize("factor", [2, 3, 4, 6])
def test_shrinking_does_not_alias(factor: int) -> None:
    """The finest checkerboard there is shrinks to grey: less than a third of it comes through as stripes."""
    ys, xs = np.mgrid[0 : 96 * factor, 0 : 128 * factor]
    board = np.repeat((((xs + ys) % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)
    prepare = DetectorInput(DetectorSettings(width=128), mean=(0.0, 0.0, 0.0))
    blob, _ = prepare.prepare(board)
    assert np.abs(blob[0, 0, 2:-2, 2:-2] - 127.5).max() < 40


def test_buffers_are_used_again() -> None:
    prepare = DetectorInput(DetectorSettings())
    first, _ = prepare.prepare(noise(360, 640))
    assert prepare.prepare(noise(360, 640, 1))[0] is first


def fake_retinaface(blob: F32) -> dict[str, F32]:
    """One face of 64 network pixels in the middle of the input."""
    height, width = blob.shape[2:]
    table = priors(height, width)
    at = int(np.argmin(np.abs(table - (width / 2, height / 2, 64, 64)).sum(axis=1)))
    conf = np.zeros((1, len(table), 2), np.float32)
    conf[0, at, 1] = 0.8
    return {
        "loc": np.zeros((1, len(table), 4), np.float32),
        "conf": conf,
        "landmarks": np.zeros((1, len(table), 10), np.float32),
    }


def test_detector_answers_in_frame_pixels() -> None:
    detector = FaceDetector(fake_retinaface, DetectorSettings(width=320, region_side=160))
    frame = Frame(noise(720, 1280), 7, 0.25)
    whole = detector.detect(frame)
    assert (whole.sequence, whole.capture_time, whole.region, len(whole.faces)) == (7, 0.25, None, 1)
    box = whole.faces[0].box
    assert box[2] - box[0] == pytest.approx(256)
    assert (box[:2] + box[2:]) / 2 == pytest.approx((640, 360), abs=40)
    part = detector.detect(frame, (200, 100, 360, 260))
    assert part.region == (200, 100, 360, 260)
    assert (part.faces[0].box[:2] + part.faces[0].box[2:]) / 2 == pytest.approx((280, 180), abs=10)


def test_detector_without_its_outputs_is_named() -> None:
    detector = FaceDetector(lambda blob: {"boxes": blob})
    with pytest.raises(ModelFileError, match="'loc'"):
        detector.detect(Frame(noise(90, 160), 0, 0.0))


def test_every_setting_has_a_default_a_range_and_a_unit() -> None:
    for section in FaceSettings.model_fields.values():
        for name, field in section.annotation.model_fields.items():
            assert field.description, name
            assert not field.is_required(), name
            if field.annotation is not bool:
                assert field.description.endswith(")"), name
                assert field.metadata, name


def test_warm_up_runs() -> None:
    warm_up()


def test_box_and_eyes_are_those_of_the_points_and_no_numbers_stay_none() -> None:
    points = np.random.default_rng(3).uniform(0, 900, (98, 2)).astype(np.float32)
    eyes = np.stack([points[list(eye)].mean(axis=0) for eye in (wflw.RIGHT_EYE, wflw.LEFT_EYE)])
    eyes_upright = points.copy()
    eyes_upright[60:68], eyes_upright[68:76] = (100, 300), (500, 310)
    np.testing.assert_allclose(matching.eye_centres(points), eyes, rtol=1e-6)
    low, high = eyes_upright.min(axis=0), eyes_upright.max(axis=0)
    forehead = np.array((0, 0.25 * (high[1] - low[1])), np.float32)
    np.testing.assert_allclose(matching.face_box(eyes_upright), [*(low - forehead), *high], rtol=1e-6)
    eyes_upright[7, 1] = np.nan
    assert np.isnan(matching.face_box(eyes_upright)[[1, 3]]).all()


def test_thumbnail_is_the_mean_of_sixteen_samples_a_cell() -> None:
    image = np.random.default_rng(4).integers(0, 256, (75, 130, 3)).astype(np.uint8)
    rows = ((2 * np.arange(72) + 1) * 75) // 144
    columns = ((2 * np.arange(128) + 1) * 130) // 256
    cells = image[np.ix_(rows, columns)][..., 1].reshape(18, 4, 32, 4).astype(np.float64).mean(axis=(1, 3)) / 255
    out = np.empty((18, 32), np.float32)
    thumbnail(image, out)
    np.testing.assert_allclose(out, cells - cells.mean(), atol=1e-6)


def test_bounds_of_turned_points_and_eyes_that_are_not_turned() -> None:
    points = np.random.default_rng(6).uniform(0, 900, (98, 2)).astype(np.float32)
    cosine, sine = np.cos(0.4), np.sin(0.4)
    turned = points.astype(np.float64) @ np.array(((cosine, -sine), (sine, cosine)))
    box, eyes = matching.bounds_and_eyes(points, float(cosine), float(sine))
    np.testing.assert_allclose(box, [*turned.min(axis=0), *turned.max(axis=0)])
    np.testing.assert_array_equal(eyes, matching.eye_centres(points))


def test_pattern_is_the_mean_of_every_second_pixel_of_each_cell() -> None:
    patch = np.random.default_rng(7).normal(0, 1, (3, 112, 112)).astype(np.float32)
    cells = patch[1].astype(np.float64).reshape(16, 7, 16, 7)[:, ::2, :, ::2].mean(axis=(1, 3)).reshape(-1)
    cells -= cells.mean()
    np.testing.assert_allclose(Appearance.of(patch), cells / np.linalg.norm(cells), atol=1e-6)
    assert not Appearance.of(np.ones((3, 112, 112), np.float32)).any()
