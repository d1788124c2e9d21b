"""The Action Unit path as a node of the graph, with its files."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from realtime.face.mirroring import midline
from realtime.graph import Side
from realtime.openface2.assets import load
from realtime.openface2.camera import Camera
from realtime.openface2.csv_file import CsvFile, CsvRows, RowContext, columns, file_name
from realtime.openface2.parts_file import PartsFile, parts_name
from realtime.openface2.pfld68 import open_pfld68
from realtime.openface2.pipeline import Face, Measurement, OpenFace2
from realtime.openface2.points68 import Pfld68, from_98
from realtime.openface2.warm_up import warm_up
from realtime.types import Analysis, FaceObservation, Frame

FLUSH_EVERY = 30


class OpenFace2Node:
    """Measures the tracked face and its doubled halves; adds the halves' intensities to the analysis.

    `open`, `process` and `close` run on one thread. Another face id means another person: every neutral starts again.

    Args:
        models: folder with an installed OpenFace set.
        output: folder for openface2*.csv and *.parts; None: no files.
        faces: which faces are measured.
        pfld68: take the 68 points from this network, in the square around the tracked face, instead of from the 98.
    """

    def __init__(
        self,
        models: Path,
        output: Path | None = None,
        faces: tuple[Face, ...] = tuple(Face),
        pfld68: Path | None = None,
    ) -> None:
        self._models = models
        self._pfld68_file = pfld68
        self._pfld68: Pfld68 | None = None
        self._output = output
        self._faces = faces
        self._path: OpenFace2 | None = None
        self._files: dict[Face, tuple[CsvFile, PartsFile]] = {}
        self._face_id: int | None = None
        self._start: float | None = None
        self._since_flush = 0
        self._stack = ExitStack()
        self.latest: dict[Face, Measurement] = {}

    def open(self) -> None:
        """Read and check the models, compile and warm the kernels.

        Raises:
            UserInputError: the folder lacks a model.
            ModelFileError: a model is damaged or another one.
        """
        self._path = OpenFace2(load(self._models), self._faces)
        warm_up(self._path)
        self._pfld68 = open_pfld68(self._pfld68_file) if self._pfld68_file is not None else None

    def process(self, frame: Frame, analysis: Analysis | Side[Analysis] | None) -> Analysis | None:
        """Give the analysis with au_left and au_right; None where there is no analysis for this frame.

        Args:
            frame: with the picture.
            analysis: of this frame, or None.
        """
        found = analysis.payload if isinstance(analysis, Side) else analysis
        if found is None:
            return None
        if self._path is None:
            raise RuntimeError("open() comes before process()")
        self.latest = self._measure(self._path, frame, found.face)
        self._write(frame, found.face)
        left, right = self.latest.get(Face.LEFT), self.latest.get(Face.RIGHT)
        return replace(
            found,
            au_left=dict(left.intensity) if left is not None else {},
            au_right=dict(right.intensity) if right is not None else {},
        )

    def reset(self, reason: str) -> None:  # noqa: ARG002 - the graph's contract
        """The stream was interrupted: fits start cold, the person's neutral stays."""
        if self._path is not None:
            self._path.lost()

    def close(self) -> None:
        """Close the files; may be called again."""
        self._stack.close()
        self._files = {}

    def _measure(self, path: OpenFace2, frame: Frame, face: FaceObservation | None) -> dict[Face, Measurement]:
        if face is None:
            return path.lost()
        if self._face_id is not None and face.face_id != self._face_id:
            path.reset()
        self._face_id = face.face_id
        if self._pfld68 is None:
            points = from_98(face.points)
        else:
            bounds = np.concatenate([face.points.min(axis=0), face.points.max(axis=0)])
            points = self._pfld68.points(frame.image, bounds)
        return path.update(frame.image, points, midline(face.points))

    def _write(self, frame: Frame, face: FaceObservation | None) -> None:
        if self._output is None:
            return
        if self._start is None:
            self._start = frame.capture_time
            self._open_files(self._output, frame.image.shape[1], frame.image.shape[0])
        time = frame.pts if frame.pts is not None else frame.capture_time - self._start
        confidence = float(np.clip(face.confidence, 0.0, 1.0)) if face is not None else 0.0
        context = RowContext(frame.sequence + 1, face.face_id if face is not None else 0, time, confidence)
        for key, (rows, parts) in self._files.items():
            rows.write(context, self.latest[key])
            parts.write(context.frame, time, self.latest[key])
        self._since_flush += 1
        if self._since_flush >= FLUSH_EVERY:
            self._since_flush = 0
            for rows, parts in self._files.values():
                rows.flush()
                parts.flush()

    def _open_files(self, folder: Path, width: int, height: int) -> None:
        assert self._path is not None
        assets = self._path.assets
        occurrences = assets.occurrence is not None
        camera = Camera.assumed(width, height)
        for face in self._faces:
            rows = CsvRows(assets.shape, camera, occurrences=occurrences)
            table = CsvFile(folder / file_name(face), rows, columns(occurrences=occurrences))
            self._stack.callback(table.close)
            parts = PartsFile(folder / parts_name(face), assets, face)
            self._stack.callback(parts.close)
            self._files[face] = table, parts
