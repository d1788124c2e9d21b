"""A session profile from `run --trace` (every call) or `--summary` (percentiles only). Pure functions on parsed JSON."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from realtime.errors import UserInputError


@dataclass(frozen=True, slots=True)
class Row:
    """One component. total, mean, p95: milliseconds; share: of all components' time, 0..1; p95 is None when not known."""

    component: str
    total: float
    share: float
    mean: float
    p95: float | None
    calls: int
    failed: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A session. seconds: its wall time. exact: from every call; else totals are calls times the median.

    busy: time in components over wall time; above 1 where components ran side by side.
    """

    rows: tuple[Row, ...]
    seconds: float
    exact: bool
    dropped: dict[str, int]

    @property
    def busy(self) -> float:
        """Component seconds per second."""
        return sum(row.total for row in self.rows) / 1e3 / self.seconds if self.seconds > 0 else 0.0

    def as_values(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "seconds": self.seconds,
            "exact": self.exact,
            "busy": self.busy,
            "dropped": self.dropped,
            "components": [asdict(row) for row in self.rows],
        }


def _rows(figures: dict[str, tuple[float, float, float | None, int, int]]) -> tuple[Row, ...]:
    everything = sum(total for total, *_ in figures.values())
    rows = [
        Row(name, total, total / everything if everything else 0.0, mean, p95, calls, failed)
        for name, (total, mean, p95, calls, failed) in figures.items()
    ]
    return tuple(sorted(rows, key=lambda row: -row.total))


def from_trace(trace: Any) -> Profile:
    """From a Chrome trace. Raises UserInputError when it holds no slices of nodes."""
    events = trace.get("traceEvents") if isinstance(trace, dict) else None
    slices = [e for e in events if isinstance(e, dict) and e.get("ph") == "X"] if isinstance(events, list) else []
    if not slices:
        raise UserInputError(
            "the trace holds no work of any component; write one with: facemirror-live run --trace FILE"
        )
    durations: dict[str, list[float]] = defaultdict(list)
    failed: dict[str, int] = defaultdict(int)
    for event in slices:
        name = str(event.get("cat") or event.get("name"))
        durations[name].append(float(event["dur"]) / 1e3)
        failed[name] += bool((event.get("args") or {}).get("failed"))
    start = min(float(e["ts"]) for e in slices)
    end = max(float(e["ts"]) + float(e["dur"]) for e in slices)
    dropped: dict[str, int] = defaultdict(int)
    for event in events or []:
        if isinstance(event, dict) and event.get("ph") == "i" and event.get("cat") == "drop":
            dropped[str((event.get("args") or {}).get("cause", "unknown"))] += 1
    figures: dict[str, tuple[float, float, float | None, int, int]] = {
        name: (sum(times), float(np.mean(times)), float(np.percentile(times, 95)), len(times), failed[name])
        for name, times in durations.items()
    }
    return Profile(_rows(figures), (end - start) / 1e6, exact=True, dropped=dict(dropped))


def from_summary(summary: Any) -> Profile:
    """From a run's summary, whose books hold medians: totals are calls times the median, and say so.

    Raises UserInputError when it is no summary or nothing was processed.
    """
    nodes = summary.get("nodes") if isinstance(summary, dict) else None
    if not isinstance(nodes, dict):
        raise UserInputError("this is no summary of a run; write one with: facemirror-live run --summary FILE")
    figures = {}
    for name, node in nodes.items():
        service = node.get("service_ms") or {}
        calls, median = int(node.get("processed") or 0), service.get("p50")
        if calls and median is not None:
            figures[name] = (
                calls * float(median),
                float(median),
                service.get("p95"),
                calls,
                int(node.get("failed") or 0),
            )
    if not figures:
        raise UserInputError("the summary is of a run in which no component worked.")
    dropped: dict[str, int] = defaultdict(int)
    for causes in ((summary.get("frames") or {}).get("dropped") or {}).values():
        for cause, count in causes.items():
            dropped[cause] += count
    return Profile(_rows(figures), float(summary.get("seconds") or 0.0), exact=False, dropped=dict(dropped))


def text(profile: Profile) -> str:
    """The table to read."""
    mean = "mean/call" if profile.exact else "median/call"
    lines = [f"{'component':<24}{'total ms':>12}{'share':>9}{mean:>14}{'p95':>10}{'calls':>9}{'failed':>8}"]
    for row in profile.rows:
        p95 = "" if row.p95 is None else f"{row.p95:.3f}"
        lines.append(
            f"{row.component:<24}{row.total:>12.1f}{100 * row.share:>8.1f}%{row.mean:>14.3f}{p95:>10}{row.calls:>9}{row.failed:>8}"
        )
    lines.append(f"{profile.seconds:.2f} s in all; components worked {profile.busy:.2f} s per second, side by side")
    if not profile.exact:
        lines.append("totals are calls times the median: a summary keeps no sums; a trace does")
    if profile.dropped:
        lines.append("dropped: " + ", ".join(f"{count} {cause}" for cause, count in sorted(profile.dropped.items())))
    return "\n".join(lines)
