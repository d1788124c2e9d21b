"""What a bundle may hold besides its rows: overlay video, OpenFace 2.2's Action Units, Parquet."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from realtime.batch.follow import Networks
from realtime.batch.options import Options
from realtime.batch.passes import FrameListener, Recording, frames_of, open_recording
from realtime.batch.spool import Spool
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
        self._several = networks.config.people > 1
        first = self._openface2 is not None and not self._several
        self.listeners: tuple[FrameListener, ...] = (self._openface2,) if first and self._openface2 else ()

    def follow_patient(self, path: Path, found: Recording, spool: Spool) -> None:
        """Of several people, measure the patient with OpenFace's models: who that is, is known only after the first pass.

        The recording is decoded again for it.

        Args:
            path: of the recording.
            found: what the first pass found.
            spool: of the first pass, finished.

        Raises:
            DeviceError: the recording cannot be read any more.
        """
        if self._openface2 is None or not self._several:
            return
        frames = frames_of(open_recording(path, self._networks.config))
        for frame, (sequence, seen) in zip(frames, groupby(spool.faces(), lambda one: one.sequence), strict=True):
            assert frame.sequence == sequence
            faces = [one.face for one in seen if one.face is not None and one.face.face_id == found.patient]
            self._openface2.frame(frame, faces[0] if faces else None)

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
