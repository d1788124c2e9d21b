"""A timeline of the run in the Chrome trace format, which Perfetto (https://ui.perfetto.dev) and chrome://tracing open.

One row per node; a slice per frame and node; a flow arrow that follows each frame through its nodes; an instant mark
for every drop.
"""

import json
from pathlib import Path
from typing import Any

from realtime.graph.messages import Envelope
from realtime.graph.policies import DropReason

_PROCESS = 1


class Trace:
    """Collects events; about 1 us each. At most `limit` are kept, the first ones: the start of a run tells the most."""

    def __init__(self, limit: int = 500_000) -> None:
        self._limit = limit
        self._frames: list[tuple[str, str, int, float, float, bool]] = []
        self._drops: list[tuple[str, str, str, int, float]] = []

    def frame(self, node: str, envelope: Envelope[Any], started: float, ended: float, failed: bool = False) -> None:
        """One frame was processed by `node` between two times (seconds).

        Args:
            node: its name.
            envelope: the frame.
            started: seconds on the graph's clock.
            ended: likewise.
            failed: `process` raised.
        """
        if len(self._frames) < self._limit:
            self._frames.append((node, envelope.source, envelope.sequence, started, ended, failed))

    def drop(self, edge: str, reason: DropReason, envelope: Envelope[Any], now: float) -> None:
        """A frame was dropped on `edge`.

        Args:
            edge: its name.
            reason: why.
            envelope: the frame.
            now: seconds.
        """
        if len(self._drops) < self._limit:
            self._drops.append((edge, reason.value, envelope.source, envelope.sequence, now))

    def events(self) -> list[dict[str, Any]]:
        """The trace's events, times in microseconds from the first one."""
        frames, drops = sorted(self._frames, key=lambda f: f[3]), list(self._drops)
        zero = min([f[3] for f in frames] + [d[4] for d in drops], default=0.0)
        rows: dict[str, int] = {}
        out: list[dict[str, Any]] = []

        def row(name: str) -> int:
            if name not in rows:
                rows[name] = len(rows) + 1
                out.append(_meta("thread_name", rows[name], name))
            return rows[name]

        last = {(source, sequence): i for i, (_, source, sequence, *_rest) in enumerate(frames)}
        begun: set[tuple[str, int]] = set()
        flows: dict[tuple[str, int], int] = {}
        for i, (node, source, sequence, started, ended, failed) in enumerate(frames):
            key = (source, sequence)
            common = {"pid": _PROCESS, "tid": row(node), "ts": (started - zero) * 1e6}
            name = f"{source} {sequence}" + (" failed" if failed else "")
            arguments = {"sequence": sequence, "source": source, "failed": failed}
            out.append(
                {"ph": "X", "name": name, "cat": node, "dur": (ended - started) * 1e6, "args": arguments} | common
            )
            if key not in begun and last[key] == i:
                continue  # seen by one node only: no arrow
            phase = "s" if key not in begun else ("f" if last[key] == i else "t")
            begun.add(key)
            flow = {"ph": phase, "id": flows.setdefault(key, len(flows) + 1), "name": "frame", "cat": "frame"}
            out.append(flow | common | ({"bp": "e"} if phase == "f" else {}))
        for edge, reason, source, sequence, when in drops:
            mark = {"ph": "i", "s": "t", "name": f"{reason} {source} {sequence}", "cat": "drop"}
            out.append(mark | {"pid": _PROCESS, "tid": row(edge), "ts": (when - zero) * 1e6, "args": {"cause": reason}})
        return out

    def text(self, name: str) -> str:
        """The content of the JSON file.

        Args:
            name: the process's, in the viewer.
        """
        events = [_meta("process_name", 0, name), *self.events()]
        return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"})

    def write(self, path: Path, name: str) -> None:
        """Write the JSON file.

        Args:
            path: of the file.
            name: of the process, in the drawing.

        Raises:
            OSError: it cannot be written.
        """
        path.write_text(self.text(name), encoding="utf-8")


def _meta(kind: str, row: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": _PROCESS, "tid": row, "args": {"name": name}}
