"""Pictures of another kind are refused in one sentence, never answered with the picture before."""

from typing import Any

import numpy as np
import pytest

from realtime.errors import PictureError, UserInputError
from realtime.face.detector import DetectorInput, FaceDetector
from realtime.face.point_flow import PointFlow
from realtime.face.resize import resize_into
from realtime.face.retinaface import priors
from realtime.face.settings import DetectorSettings
from realtime.types import F32, Frame, check_picture
from tests.face.world import HEIGHT, WIDTH, Disc, picture

BLACK = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
KINDS: dict[str, tuple[Any, str]] = {
    "float32": (BLACK.astype(np.float32), "float32"),
    "uint16": (BLACK.astype(np.uint16), "uint16"),
    "grey": (BLACK[..., 0].copy(), "grey"),
    "grey with an axis": (BLACK[..., :1].copy(), "grey"),
    "RGBA": (np.zeros((HEIGHT, WIDTH, 4), np.uint8), "four channels"),
    "two channels": (np.zeros((HEIGHT, WIDTH, 2), np.uint8), "no picture"),
    "batch": (BLACK[None], "no picture"),
    "not contiguous": (BLACK[:, ::-1], "not contiguous"),
    "empty": (np.zeros((0, WIDTH, 3), np.uint8), "empty"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_of_another_kind_is_refused_in_one_sentence(kind: str) -> None:
    image, word = KINDS[kind]
    with pytest.raises(PictureError, match=word) as refusal:
        Frame(image, 0, 0.0)
    assert isinstance(refusal.value, UserInputError)
    assert isinstance(refusal.value, ValueError)
    sentence = str(refusal.value)
    assert "\n" not in sentence
    assert "(height, width, 3)" in sentence


@pytest.mark.parametrize("image", [None, "face.jpg", [[1, 2, 3]], 7])
def test_what_is_no_array_is_refused_by_the_name_of_its_type(image: Any) -> None:
    with pytest.raises(PictureError, match=type(image).__name__):
        check_picture(image)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("not contiguous", "empty", "batch")])
def test_a_buffer_never_keeps_the_picture_before(kind: str) -> None:
    """OpenCV ignores a `dst` of another type: float, grey and RGBA pictures used to show the last face again."""
    prepare = DetectorInput(DetectorSettings())
    prepare.prepare(picture(Disc(300, 180)))
    with pytest.raises(PictureError):
        prepare.prepare(KINDS[kind][0])
    flow = PointFlow()
    flow.anchor(picture(Disc(300, 180)), Disc(300, 180).points())
    with pytest.raises(PictureError):
        flow.move(KINDS[kind][0])
    with pytest.raises(PictureError):
        PointFlow().anchor(KINDS[kind][0], Disc(300, 180).points())


def test_the_detector_refuses_a_buffer_of_another_shape_and_fills_its_own() -> None:
    out = np.full((90, 160, 3), 9, np.uint8)
    assert resize_into(BLACK, out) is out
    assert not out.any()
    with pytest.raises(PictureError):
        resize_into(BLACK, np.empty((90, 160, 4), np.uint8))


def test_after_a_face_a_black_picture_shows_none() -> None:
    """The detector answers for the picture it is given: brightness of the network's input decides here."""

    def network(blob: F32) -> dict[str, F32]:
        count = len(priors(blob.shape[2], blob.shape[3]))
        conf = np.zeros((1, count, 2), np.float32)
        conf[0, count // 2, 1] = 0.97 if blob.max() > 0 else 0.0
        return {
            "loc": np.zeros((1, count, 4), np.float32),
            "conf": conf,
            "landmarks": np.zeros((1, count, 10), np.float32),
        }

    detector = FaceDetector(network)
    assert len(detector.detect(Frame(picture(Disc(300, 180)), 0, 0.0)).faces) == 1
    assert detector.detect(Frame(BLACK, 1, 1.0)).faces == ()
