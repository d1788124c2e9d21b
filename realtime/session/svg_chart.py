"""Curves over time as SVG text: no script, no network, any browser."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from realtime.types import F64

_LEFT, _TOP, _BOTTOM, _END = 40, 8, 20, 10


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve.

    Attributes:
        name: for people who do not see it.
        values: (N,), NaN: nothing was measured.
        colour: as CSS writes it.
        expected: there should be a value wherever a face was seen: a frame without one interrupts the curve and is tinted.
    """

    name: str
    values: F64
    colour: str
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """The frame of curves over the same times.

    Attributes:
        times: (N,) seconds.
        length: where the horizontal axis ends, seconds.
        gaps: (start, end) in seconds of what is shaded.
        marks: (seconds, number) of the vertical lines.
        width: pixels.
        height: pixels.
        longest_step: seconds between two values beyond which a curve is interrupted.
        seen: (N,) whether a face was seen; None: not known.
    """

    times: F64
    length: float
    gaps: Sequence[tuple[float, float]] = ()
    marks: Sequence[tuple[float, int]] = ()
    width: int = 920
    height: int = 120
    longest_step: float = 0.5
    seen: NDArray[np.bool_] | None = None

    def svg(self, title: str, curves: Sequence[Curve], top: float) -> str:
        """Draw the curves as one SVG element; the vertical axis goes from 0 to `top`.

        Args:
            title: of the chart.
            curves: what is drawn.
            top: of the vertical axis.
        """
        parts = [
            f'<svg viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(title)}">',
            *(
                f'<rect class="gap" x="{self._x(a):.1f}" y="{_TOP}" width="{self._x(b) - self._x(a):.1f}" '
                f'height="{self.height - _TOP - _BOTTOM}"/>'
                for a, b in self.gaps
            ),
            *(self._tint(a, b, curve) for curve in curves for a, b in self._missing_stretches(curve)),
            *self._axes(top),
            *(self._curve(curve, top) for curve in curves),
            *(
                f'<line class="mark" x1="{self._x(at):.1f}" x2="{self._x(at):.1f}" y1="{_TOP}" '
                f'y2="{self.height - _BOTTOM}"/><text class="mark" x="{self._x(at) + 3:.1f}" y="{_TOP + 10}">{n}</text>'
                for at, n in self.marks
            ),
            "</svg>",
        ]
        return "".join(parts)

    def _missing(self, curve: Curve) -> NDArray[np.bool_]:
        """(N,) frames that show a face, but not what this curve tells."""
        if not curve.expected or self.seen is None:
            return np.zeros(len(self.times), bool)
        return self.seen & ~np.isfinite(curve.values)

    def _missing_stretches(self, curve: Curve) -> list[tuple[float, float]]:
        missing = self._missing(curve)
        if self.seen is None or not missing.any():
            return []
        return stretches(self.times, bridged(self.times, self.seen, missing, self.longest_step))

    def _tint(self, begin: float, end: float, curve: Curve) -> str:
        width = max(self._x(end) - self._x(begin), 1.0)
        return (
            f'<rect class="missing" x="{self._x(begin):.1f}" y="{_TOP}" width="{width:.1f}" '
            f'height="{self.height - _TOP - _BOTTOM}" fill="{curve.colour}"><title>{escape(curve.name)}: not measured</title></rect>'
        )

    def _x(self, seconds: float) -> float:
        return _LEFT + (self.width - _LEFT - _END) * seconds / max(self.length, 1e-9)

    def _y(self, value: float, top: float) -> float:
        return self.height - _BOTTOM - (self.height - _TOP - _BOTTOM) * min(max(value / top, 0.0), 1.0)

    def _axes(self, top: float) -> list[str]:
        lines = []
        for part in (0.0, 0.5, 1.0):
            y = self._y(part * top, top)
            lines.append(f'<line class="grid" x1="{_LEFT}" x2="{self.width - _END}" y1="{y:.1f}" y2="{y:.1f}"/>')
            lines.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{part * top:g}</text>')
        step = tick(self.length)
        for k in range(int(self.length / step) + 1):
            x = self._x(k * step)
            lines.append(f'<text x="{x:.1f}" y="{self.height - 5}" text-anchor="middle">{k * step:g} s</text>')
        return lines

    def _curve(self, curve: Curve, top: float) -> str:
        known = np.isfinite(curve.values)
        times, values = thinned(self.times[known], curve.values[known], 2 * self.width)
        if not len(times):
            return ""
        commands = []
        before, part = -np.inf, 0
        parts = np.searchsorted(self.times[self._missing(curve)], times)
        for time, value, new in zip(times.tolist(), values.tolist(), parts.tolist(), strict=True):
            joined = time - before <= self.longest_step and new == part
            commands.append(f"{'L' if joined else 'M'}{self._x(time):.1f} {self._y(value, top):.1f}")
            before, part = time, new
        return f'<path d="{"".join(commands)}" stroke="{curve.colour}"><title>{escape(curve.name)}</title></path>'


def stretches(times: F64, there: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """(start, end) in seconds of every run of frames; a run ends where the next frame begins.

    Args:
        times: (N,) seconds.
        there: (N,) which frames.
    """
    if not there.any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(np.int8), [0]])))
    ends = np.append(times[1:], times[-1])
    return [(float(times[a]), float(ends[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def bridged(times: F64, seen: NDArray[np.bool_], there: NDArray[np.bool_], longest: float) -> NDArray[np.bool_]:
    """(N,) `there`, and the frames between two of them that were not analysed.

    Args:
        times: (N,) seconds.
        seen: (N,) frames that were analysed, and on which a face was seen.
        there: (N,) some of them.
        longest: seconds between two of them that are bridged.
    """
    out = there.copy()
    for a, b in pairwise(np.flatnonzero(seen).tolist()):
        if b > a + 1 and there[a] and there[b] and times[b] - times[a] <= longest:
            out[a:b] = True
    return out


def thinned(times: F64, values: F64, most: int) -> tuple[F64, F64]:
    """At most about `most` points that keep every peak: the lowest and the highest of each stretch, in their order.

    Args:
        times: (N,).
        values: likewise.
        most: points.
    """
    if len(times) <= most:
        return times, values
    edges = np.linspace(0, len(times), most // 2 + 1).astype(int)
    kept: set[int] = {0, len(times) - 1}
    for a, b in pairwise(edges):
        if b > a:
            kept |= {a + int(np.argmin(values[a:b])), a + int(np.argmax(values[a:b]))}
    index = np.array(sorted(kept))
    return times[index], values[index]


def tick(length: float) -> float:
    """A round number of seconds so that about eight fit into `length`."""
    wanted = max(length, 1e-3) / 8
    base = 10.0 ** np.floor(np.log10(wanted))
    return float(next((base * k for k in (1, 2, 5) if base * k >= wanted), base * 10))
