"""What session.json says: program, machine, settings, models, and what was chosen while the session ran."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from realtime import __version__
from realtime.media.video_source import Changed
from realtime.models import ModelSpec
from realtime.session.choices import LoggedChoice
from realtime.session.schema import data_dictionary
from realtime.session.writer import SessionWriter

_PACKAGES = ("av", "onnxruntime", "numpy", "opencv-python", "numba", "sounddevice")


def session_metadata(
    settings: Iterable[tuple[str, object, str]],
    models: Sequence[ModelSpec],
    writer: SessionWriter,
    *,
    choices: Mapping[str, LoggedChoice],
    sources: Sequence[Changed],
    av_sync: Mapping[str, Any] | None,
    summary: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Give the content of session.json as of now, ready for JSON.

    Args:
        settings: name, value and origin of every setting.
        models: what was opened.
        writer: the session's files.
        choices: what can be changed while the session runs, by its key in the file.
        sources: which were taken after the first one.
        av_sync: the machine's measured offset of sound and picture, where sound is recorded.
        summary: the run's figures; None while it lasts.
    """
    return {
        "format": 1,
        "started": writer.started.as_dict(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "program": {"facemirror-live": __version__, **{name: version(name) for name in _PACKAGES}},
        "machine": {"python": platform.python_version(), "system": platform.platform()},
        "configuration": _plain({name: {"value": value, "from": origin} for name, value, origin in settings}),
        "models": [{"name": spec.name, "sha256": spec.sha256, "licence": spec.licence} for spec in models],
        "columns": data_dictionary(millimetres=writer.millimetres),
        "calibrations": writer.calibrations(),
        "sources": [change._asdict() for change in sources],
        "affected_side": None,
        **{name: choice.as_dict() for name, choice in choices.items()},
        "av_sync": av_sync,
        "markers": writer.markers.count,
        "summary": summary,
    }


def _plain(value: Any) -> Any:
    """Give paths and tuples as JSON knows them."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
