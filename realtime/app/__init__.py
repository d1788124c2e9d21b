"""The program: the pipeline that wires the whole graph, its nodes, its outputs, and what a run does besides.

Names are imported when they are first used, since each of them needs the networks' libraries.
"""

from typing import TYPE_CHECKING

from realtime.lazy import lazy_names

if TYPE_CHECKING:
    from realtime.app.face_pipeline import FacePath, open_face_path
    from realtime.app.pipeline import App, Outputs, build
    from realtime.app.replay import replay_session
    from realtime.app.run import Run

__all__ = ["App", "FacePath", "Outputs", "Run", "build", "open_face_path", "replay_session"]

_HOMES = {
    "App": "realtime.app.pipeline",
    "FacePath": "realtime.app.face_pipeline",
    "Outputs": "realtime.app.pipeline",
    "Run": "realtime.app.run",
    "build": "realtime.app.pipeline",
    "open_face_path": "realtime.app.face_pipeline",
    "replay_session": "realtime.app.replay",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
