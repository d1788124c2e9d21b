"""session.json of a run: written at its start, after every logged choice, and at its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realtime.files import write_json
from realtime.media.audio.sync_beeps import stored_measurement
from realtime.media.video_source import VideoSource
from realtime.models import ModelSpec
from realtime.session import metadata
from realtime.session.choices import LoggedChoice
from realtime.session.folder import SESSION
from realtime.session.writer import SessionWriter


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """Writes session.json; does nothing in a run without a session folder.

    Attributes:
        settings: name, value and origin of every setting.
        models: what was opened.
        writer: the session's files.
        source: of the pictures.
        sound: whether a microphone is recorded.
    """

    settings: Sequence[tuple[str, object, str]]
    models: Sequence[ModelSpec]
    writer: SessionWriter
    source: VideoSource
    sound: bool

    def write(self, choices: Mapping[str, LoggedChoice], summary: Mapping[str, Any] | None = None) -> None:
        """Replace session.json.

        Args:
            choices: what was chosen while the run lasts, by its key in the file.
            summary: the run's figures; None while it lasts.

        Raises:
            DeviceError: it cannot be written.
        """
        if self.writer.folder is None:
            return
        content = metadata.session_metadata(
            self.settings,
            self.models,
            self.writer,
            choices=choices,
            sources=self.source.changes,
            av_sync=stored_measurement() if self.sound else None,
            summary=summary,
        )
        write_json(self.writer.folder / SESSION, content)
