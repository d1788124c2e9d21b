"""What a bundle may hold besides its rows: overlay video, OpenFace 2.2's Action Units, Parquet."""

from collections.abc import Iterator
from pathlib import Path

from realtime.batch.follow import Networks
from realtime.batch.options import Options
from realtime.batch.passes import FrameListener, Recording, frames_of, open_recording
from realtime.errors import DeviceError
from realtime.session.folder import VIDEO
from realtime.types import Analysis, FaceObservation, Frame


class Extras:
    """Everything optional about one recording.

    Open what is asked for. Raises UserInputError or ModelFileError where OpenFace's models are not there.

    Args:
        options: what is asked for.
        folder: of the bundle.
        networks: open.

    Attributes:
        listeners: see every frame of the first pass.
    """

    def __init__(self, options: Options, folder: Path, networks: Networks) -> None:
        self._options = options
        self._folder = folder
        self._networks = networks
        self._openface2 = None if options.openface2 is None else _OpenFace2(options.openface2, folder)
        self.listeners: tuple[FrameListener, ...] = () if self._openface2 is None else (self._openface2,)

    def draw(self, path: Path, found: Recording, analyses: Iterator[Analysis]) -> None:
        """Take every analysis, and draw it where an overlay is asked for.

        Args:
            path: of the recording.
            found: what the first pass found.
            analyses: frame by frame.

        Raises:
            DeviceError: the video cannot be written.
        """
        if not self._options.overlay:
            for _ in analyses:
                pass
            return
        from realtime.batch.overlay import draw_overlay

        units = self._networks.models.action_units
        frames = frames_of(open_recording(path, self._networks.config))
        draw_overlay(self._folder / VIDEO, frames, analyses, () if units is None else units.units, found.fps)

    def finish(self, rows: Path) -> None:
        """Write what is made from the finished files.

        Raises:
            DeviceError: pyarrow is missing, or a file cannot be written.
        """
        if self._openface2 is not None:
            self._openface2.finish()
        if self._options.parquet:
            from realtime.session.parquet import write_parquet

            write_parquet(rows)


class _OpenFace2:
    """OpenFace 2.2's Action Units of every frame, with its full offline pass at the end."""

    def __init__(self, models: Path, folder: Path) -> None:
        from realtime.openface2.node import OpenFace2Node

        self._folder = folder
        self._node: OpenFace2Node = OpenFace2Node(models, folder)
        self._node.open()

    def frame(self, frame: Frame, face: FaceObservation | None) -> None:
        self._node.process(frame, Analysis(frame.sequence, frame.capture_time, face))

    def finish(self) -> None:
        from realtime.openface2.reprocess import reprocess

        self._node.close()
        if not any(self._folder.glob("openface2*.parts")):
            return
        reprocess(self._folder)
        try:
            for path in self._folder.glob("openface2*.parts"):
                path.unlink()  # tens of megabytes a minute, and the offline pass is done
        except OSError as error:
            raise DeviceError(f"{self._folder} cannot be tidied up ({error.strerror}).") from None
