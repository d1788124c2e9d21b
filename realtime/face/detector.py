"""From a frame to detections: the picture made ready for RetinaFace in buffers that are used again, the network, the decoder."""

import logging
from collections.abc import Callable
from collections.abc import Mapping as Outputs

import cv2
import numpy as np

from realtime.errors import ModelFileError
from realtime.face import retinaface
from realtime.face.resize import resize_into
from realtime.face.settings import DetectorSettings
from realtime.types import F32, U8, Detection, Detections, Frame, Region

log = logging.getLogger(__name__)

Network = Callable[[F32], Outputs[str, F32]]
"""Takes (1, 3, H, W) float32, gives arrays by the program's words; `realtime.models` sessions' `run` is one."""

# regions come in all sizes: multiples of 32 keep the number of distinct network shapes small
_REGION_GRID = 32
_WHOLE_GRID = 4
_LEAST = 32


_TALLEST = 3.0
"""Height over width up to which a whole picture keeps its width for the network; no camera's is taller."""


def subtract_mean(image: U8, mean: F32, scale: F32, rgb: bool, out: F32) -> None:
    """(H, W, 3) BGR uint8 to (1, 3, H, W) float32, (value - mean) * scale, channels in the order asked for.

    Args:
        image: (H, W, 3) uint8 BGR.
        mean: (3,), in output order.
        scale: likewise.
        rgb: channel order RGB, else BGR.
        out: (1, 3, H, W) float32, filled.
    """
    planes = cv2.split(image)  # a channel's own bytes are read twice as fast as every third byte of the picture
    for channel, plane in enumerate(out[0]):
        plane[...] = planes[2 - channel if rgb else channel]
        plane -= mean[channel]
        if scale[channel] != 1:
            plane *= scale[channel]


class DetectorInput:
    """Makes pictures ready for the network. One caller at a time: the buffers are used again by the next call.

    Args:
        settings: the sizes.
        mean: (3,), in output order; a value v enters as (v - mean) * scale.
        scale: likewise.
        rgb: channel order RGB, else BGR.
    """

    def __init__(
        self,
        settings: DetectorSettings,
        *,
        mean: tuple[float, float, float] = (104.0, 117.0, 123.0),
        scale: tuple[float, float, float] = (1.0, 1.0, 1.0),
        rgb: bool = False,
    ) -> None:
        self._settings = settings
        self._mean = np.array(mean, np.float32)
        self._scale = np.array(scale, np.float32)
        self._rgb = rgb
        self._buffers: dict[tuple[int, int], tuple[U8, U8, F32]] = {}

    def size(self, height: int, width: int, *, region: bool) -> tuple[int, int]:
        """(height, width) the network sees of a picture or region of this size.

        Args:
            height: of the picture or region, pixels.
            width: likewise.
            region: whether it is a region.
        """
        settings = self._settings
        # A strip one pixel wide would otherwise become one of 300 by 30,000.
        whole = settings.width / max(width, height / _TALLEST)
        wanted = settings.region_side / max(height, width) if region else whole
        grid = _REGION_GRID if region else _WHOLE_GRID
        return _to_grid(height * wanted, grid), _to_grid(width * wanted, grid)

    def prepare(self, image: U8, region: Region | None = None) -> tuple[F32, retinaface.Mapping]:
        """The network's input, and how its pixels map to the frame's.

        Args:
            image: (H, W, 3) BGR.
            region: x0, y0, x1, y1 of the part that is wanted, pixels; None: all.

        Returns:
            (1, 3, h, w) float32 and the mapping.
        """
        x0, y0, x1, y1 = region or (0, 0, image.shape[1], image.shape[0])
        part = image[y0:y1, x0:x1]
        height, width = self.size(y1 - y0, x1 - x0, region=region is not None)
        small, twice, blob = self._buffer(height, width)
        if min((y1 - y0) / height, (x1 - x0) / width) >= 2:
            # two steps cost a tenth of an area average, and alias hardly more: the second is an exact mean of 2 x 2
            part = resize_into(part, twice)
        subtract_mean(resize_into(part, small), self._mean, self._scale, self._rgb, blob)
        return blob, retinaface.Mapping((x1 - x0) / width, (y1 - y0) / height, float(x0), float(y0))

    def _buffer(self, height: int, width: int) -> tuple[U8, U8, F32]:
        found = self._buffers.get((height, width))
        if found is None:
            if len(self._buffers) >= 16:
                self._buffers.clear()
            found = (
                np.empty((height, width, 3), np.uint8),
                np.empty((2 * height, 2 * width, 3), np.uint8),
                np.empty((1, 3, height, width), np.float32),
            )
            self._buffers[height, width] = found
        return found


def _to_grid(side: float, grid: int) -> int:
    return max(_LEAST, round(side / grid) * grid)


class FaceDetector:
    """Faces of a frame, or of a region of it. One caller at a time.

    A network that gives values that are no numbers is given up: `problem` says so in one sentence, which is reported once, and
    the fallback detects from then on. Without a fallback such a pass sees no face.

    Args:
        network: takes (1, 3, H, W) float32, gives "loc", "conf" and "landmarks".
        settings: width, thresholds.
        anchors: those the network was trained with.
        prepare: makes the network's input; None: RetinaFace's own rule.
        name: of the network, for the sentence.
        fallback: opens another detector; called once, on the detecting thread. None: there is none.
        report: called once with the sentence.
    """

    def __init__(
        self,
        network: Network,
        settings: DetectorSettings = DetectorSettings(),  # noqa: B008  frozen
        *,
        anchors: retinaface.Anchors = retinaface.Anchors(),  # noqa: B008  frozen
        prepare: DetectorInput | None = None,
        name: str = "the detector",
        fallback: "Callable[[], FaceDetector] | None" = None,
        report: Callable[[str], None] = log.warning,
    ) -> None:
        self.problem: str | None = None
        """One sentence once the network has given values that are no numbers."""
        self.failed = False
        """Whether it has, and nothing takes its place."""
        self._name = name
        self._open_fallback = fallback
        self._report = report
        self._fallback: FaceDetector | None = None
        self._network = network
        self._settings = settings
        self._anchors = anchors
        self._input = prepare or DetectorInput(settings)

    def detect(self, frame: Frame, region: Region | None = None) -> Detections:
        """Every face of the frame (or region), best first, in frame pixels.

        Args:
            frame: to search.
            region: x0, y0, x1, y1 of the part to search, pixels; None: all.

        Raises:
            ModelFileError: the network's outputs are not RetinaFace's for these anchors.
        """
        if self._fallback is not None:
            return self._fallback.detect(frame, region)
        blob, mapping = self._input.prepare(frame.image, region)
        outputs = self._network(blob)
        try:
            loc, conf, landmarks = outputs["loc"], outputs["conf"], outputs["landmarks"]
        except KeyError as missing:
            raise ModelFileError(f"The detector gives no output {missing}: its manifest should name it.") from None
        faces = retinaface.decode(
            loc,
            conf,
            landmarks,
            height=blob.shape[2],
            width=blob.shape[3],
            mapping=mapping,
            threshold=self._settings.threshold,
            overlap=self._settings.overlap,
            most=self._settings.faces,
            anchors=self._anchors,
        )
        if not np.isfinite(conf).all() or not all(_is_finite(face) for face in faces):
            return self._give_up(frame, region)
        return Detections(frame.sequence, frame.capture_time, faces, region)

    def _give_up(self, frame: Frame, region: Region | None) -> Detections:
        """Answer in the network's place from now on: with the fallback's faces, or with none."""
        if self.problem is None:
            self.failed = self._open_fallback is None
            what = "no face is searched for in such pictures" if self.failed else "another detector takes its place"
            self.problem = f"The detector {self._name} gives values that are no numbers (NaN or infinite); {what}."
            self._report(self.problem)
        if self._open_fallback is not None:
            self._fallback = self._open_fallback()
            return self._fallback.detect(frame, region)
        return Detections(frame.sequence, frame.capture_time, (), region)


def _is_finite(face: Detection) -> bool:
    return bool(np.isfinite(face.box).all() and np.isfinite(face.points).all())
