"""Pictures of a folder, the best face in each, and the crop that each of OpenFace 3.0's networks wants of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from realtime.errors import ModelFileError, UserInputError
from realtime.face import retinaface
from realtime.types import Detection

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
DETECTOR_SIDE = 640
DETECTOR_MEAN = np.array((104.0, 117.0, 123.0), np.float32)
STAR_GROWTH = 1.05  # side of STAR's crop in sides (the shorter) of the face box
MULTITASK_GROWTH = 0.15  # how much the multi-task network's box grows on every side


def read_all(folder: Path, limit: int | None = None) -> Iterator[tuple[Path, U8]]:
    """(path, (H, W, 3) BGR) of the folder's pictures in the order of their names. Raises UserInputError: none there."""
    if not folder.is_dir():
        raise UserInputError(f"{folder} is not a folder of pictures.")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    count = 0
    for path in paths:
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            continue
        yield path, np.asarray(picture, np.uint8)
        count += 1
        if count == limit:
            break
    if not count:
        raise UserInputError(f"{folder} holds no picture that can be read ({', '.join(sorted(SUFFIXES))}).")


def session(path: Path, threads: int = 2, *, spin: bool = False) -> onnxruntime.InferenceSession:
    """A CPU session; its threads do not wait busily unless `spin`, and never between runs.

    Raises ModelFileError: missing, or no ONNX model.
    """
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file; name an ONNX model.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spin)))
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  ONNX Runtime's own exceptions share no base class
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelFileError(f"{path.name} is truncated or not an ONNX model: {reason}") from None


def detector(path: Path) -> Callable[[U8], Detection | None]:
    """A function from a picture to its best face, in the picture's pixels, or None.

    path: a RetinaFace ONNX with the outputs loc, conf and landmarks.
    """
    run = session(path)
    expected = {"loc", "conf", "landmarks"}
    if expected - {o.name for o in run.get_outputs()}:
        raise ModelFileError(f"{path.name} is no RetinaFace: the outputs loc, conf and landmarks are expected.")
    name = run.get_inputs()[0].name

    def detect(picture: U8) -> Detection | None:
        scale = DETECTOR_SIDE / max(picture.shape[:2])
        height, width = (max(round(n * scale), 1) for n in picture.shape[:2])
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        blob = (small.astype(np.float32) - DETECTOR_MEAN).transpose(2, 0, 1)[None]
        loc, conf, points = run.run(["loc", "conf", "landmarks"], {name: np.ascontiguousarray(blob)})
        mapping = retinaface.Mapping(picture.shape[1] / width, picture.shape[0] / height)
        found = retinaface.decode(loc, conf, points, height=height, width=width, mapping=mapping, threshold=0.5, most=1)
        return found[0] if found else None

    return detect


def central_face(picture: U8) -> Detection:
    """The largest square in the middle, eyes level: what is taken for the face where no detector is named."""
    height, width = picture.shape[:2]
    side = min(height, width)
    x, y = (width - side) / 2, (height - side) / 2
    points = np.array(((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.75), (0.65, 0.75)), np.float32) * side + (x, y)
    box = np.array((x, y, x + side, y + side), np.float32)
    return Detection(box=box, score=1.0, points=points.astype(np.float32))


def crop(network: str, picture: U8, box: F32, size: tuple[int, int]) -> tuple[U8, NDArray[np.float64]]:
    """The network's (H, W, 3) BGR crop and the (2, 3) map from picture to crop pixels.

    star: a square of 1.05 times the shorter side; multitask: the box grown by 15 % a side; retinaface: the whole picture.
    """
    height, width = size
    x1, y1, x2, y2 = (float(v) for v in box)
    if network == "star":
        scale = height / (STAR_GROWTH * min(x2 - x1, y2 - y1))
        middle = (height - 1) / 2
        matrix = np.array([[scale, 0, middle - scale * (x1 + x2) / 2], [0, scale, middle - scale * (y1 + y2) / 2]])
    else:
        if network == "multitask":
            dx, dy = MULTITASK_GROWTH * (x2 - x1), MULTITASK_GROWTH * (y2 - y1)
            x1, y1 = max(x1 - dx, 0.0), max(y1 - dy, 0.0)
            x2, y2 = min(x2 + dx, picture.shape[1]), min(y2 + dy, picture.shape[0])
        else:
            x1, y1, x2, y2 = 0.0, 0.0, float(picture.shape[1]), float(picture.shape[0])
        # The outer edges of the box come to lie on the outer edges of the crop, as a resize does it.
        sx, sy = width / (x2 - x1), height / (y2 - y1)
        matrix = np.array([[sx, 0, (0.5 - x1) * sx - 0.5], [0, sy, (0.5 - y1) * sy - 0.5]])
    warped = cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0))
    return np.asarray(warped, np.uint8), matrix
