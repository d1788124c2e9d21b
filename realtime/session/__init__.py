"""What a session leaves behind: its folder, a row per captured frame, markers, decisions, session.json and the manifest;
and what reads them again: verify, report, Parquet.

Names are imported when they are first used, so that `verify` needs no network and a report no recorder.
"""

from typing import TYPE_CHECKING

from realtime.lazy import lazy_names

if TYPE_CHECKING:
    from realtime.session.calibration_store import CalibrationStore
    from realtime.session.decision_log import read_decisions
    from realtime.session.folder import create_session_folder, use_session_folder
    from realtime.session.manifest import session_of
    from realtime.session.markers import Mark, read_markers
    from realtime.session.parquet import write_parquet
    from realtime.session.read_frames import Rows, read_rows
    from realtime.session.report import write_report
    from realtime.session.schema import data_dictionary
    from realtime.session.verify import Verdict
    from realtime.session.writer import SessionWriter

__all__ = [
    "CalibrationStore",
    "Mark",
    "Rows",
    "SessionWriter",
    "Verdict",
    "create_session_folder",
    "data_dictionary",
    "read_decisions",
    "read_markers",
    "read_rows",
    "session_of",
    "use_session_folder",
    "write_parquet",
    "write_report",
]

_HOMES = {
    "CalibrationStore": "realtime.session.calibration_store",
    "Mark": "realtime.session.markers",
    "Rows": "realtime.session.read_frames",
    "SessionWriter": "realtime.session.writer",
    "Verdict": "realtime.session.verify",
    "create_session_folder": "realtime.session.folder",
    "data_dictionary": "realtime.session.schema",
    "read_decisions": "realtime.session.decision_log",
    "read_markers": "realtime.session.markers",
    "read_rows": "realtime.session.read_frames",
    "session_of": "realtime.session.manifest",
    "use_session_folder": "realtime.session.folder",
    "write_parquet": "realtime.session.parquet",
    "write_report": "realtime.session.report",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
