"""The figures of a run: what `--summary` writes, and what the table at the end shows."""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from realtime.graph import Percentiles, Report

_NOTHING = Percentiles(0, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Usage:
    """What the process has used up to now.

    Attributes:
        cpu_seconds: of the process.
        wall: seconds on the monotonic clock.
    """

    cpu_seconds: float
    wall: float

    @classmethod
    def now(cls) -> "Usage":
        """Of this process and the children that have ended."""
        times = os.times()
        return cls(times.user + times.system + times.children_user + times.children_system, time.monotonic())


def peak_rss_mb() -> float:
    """The most memory this process ever held (MB)."""
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / 1e6
    if sys.platform == "linux":
        # Not getrusage: its figure includes what the program that started this one held, if that was more.
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _percentiles(p: Percentiles) -> dict[str, float | int | None]:
    return {"p50": p.p50, "p95": p.p95, "p99": p.p99, "max": p.max, "count": p.count}


def summarise(
    report: Report,
    *,
    output: str,
    started: Usage,
    cpu_running: float,
    detections: int,
    face_frames: int,
    tracked_frames: int,
    models: Mapping[str, str],
    negotiated: Mapping[str, Any] | None,
    notices: list[str],
    live: bool = True,
) -> dict[str, Any]:
    """The figures of a run as plain values, ready for JSON.

    Args:
        report: the graph's.
        output: the node at the end of the picture path, whose counts are `frames`.
        started: what the process had used before the run.
        cpu_running: CPU seconds while the graph ran, without loading models.
        detections: detection passes.
        face_frames: frames with a face.
        tracked_frames: those of them whose face was tracked, without a detection entering.
        models: SHA-256 by name.
        negotiated: what the source gives.
        notices: sentences for the user.
        live: frames were taken (or due) while the run lasted; offline their age means nothing and is left empty.
    """
    path = report.paths[output]
    used = Usage.now()
    nodes = {
        name: {
            "kind": node.kind,
            "processed": node.processed,
            "skipped": node.skipped,
            "failed": node.failed,
            "last_error": node.last_error,
            "queue_ms": _percentiles(node.queue),
            "join_ms": _percentiles(node.join),
            "executor_ms": _percentiles(node.executor),
            "service_ms": _percentiles(node.service),
            "age_ms": _percentiles(node.age if live else _NOTHING),
        }
        for name, node in report.nodes.items()
    }
    edges = {
        name: {
            "put": e.put,
            "delivered": e.delivered,
            "dropped": dict(e.dropped),
            "queued": e.queued,
            "deepest": e.deepest,
        }
        for name, e in report.edges.items()
    }
    dropped: dict[str, dict[str, int]] = {}
    for (edge, cause), count in path.dropped.items():
        dropped.setdefault(edge, {})[str(cause)] = count
    return {
        "frames": {
            "captured": path.captured,
            "delivered": path.delivered,
            "dropped": dropped,
            "dropped_total": sum(path.dropped.values()) + path.withheld,
            "queued": path.queued,
        },
        "seconds": report.seconds,
        "fps": path.delivered / report.seconds if report.seconds > 0 else 0.0,
        "age_ms": _percentiles(report.nodes[output].age if live else _NOTHING),
        "result_age_ms": _percentiles(report.nodes["compose"].result_age),
        "detections": detections,
        "face_frames": face_frames,
        "tracked_frames": tracked_frames,
        "nodes": nodes,
        "edges": edges,
        "cpu_seconds": used.cpu_seconds - started.cpu_seconds,
        "cpu_seconds_running": cpu_running,
        "cores_running": cpu_running / report.seconds if report.seconds > 0 else 0.0,
        "cores": (used.cpu_seconds - started.cpu_seconds) / max(used.wall - started.wall, 1e-9),
        "peak_rss_mb": peak_rss_mb(),
        "models": [{"name": name, "sha256": sha} for name, sha in models.items()],
        "negotiated": dict(negotiated) if negotiated else None,
        "ended": report.reason,
        "stuck": report.stuck,
        "failures": report.failures,
        "notices": notices,
    }


def empty_summary(started: Usage, failures: dict[str, str], notices: list[str]) -> dict[str, Any]:
    """The summary of a run that ended before its first frame.

    Args:
        started: what had been used at the beginning.
        failures: by what failed.
        notices: sentences for the user.
    """
    nothing = _percentiles(_NOTHING)
    return {
        "frames": {"captured": 0, "delivered": 0, "dropped": {}, "dropped_total": 0, "queued": 0},
        "seconds": 0.0,
        "fps": 0.0,
        "age_ms": nothing,
        "result_age_ms": nothing,
        "detections": 0,
        "face_frames": 0,
        "tracked_frames": 0,
        "nodes": {},
        "edges": {},
        "cpu_seconds": Usage.now().cpu_seconds - started.cpu_seconds,
        "peak_rss_mb": peak_rss_mb(),
        "models": [],
        "negotiated": None,
        "ended": "before the start",
        "stuck": [],
        "failures": failures,
        "notices": notices,
    }
