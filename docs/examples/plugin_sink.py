"""A plug-in sink: prints how far the mouth's corners are raised, once a second.

A distribution of your own names it in its pyproject.toml:

    [project.entry-points."realtime.sinks"]
    smile-meter = "plugin_sink:SmileMeter"

and `facemirror-live run --sinks smile-meter` gives it every picture that is shown.
"""

from realtime.types import RenderedFrame


class SmileMeter:
    """Gets the newest picture whenever it is free, on a thread of its own."""

    def __init__(self) -> None:
        self._next = 0.0

    def process(self, shown: RenderedFrame) -> None:
        """Print AU 12 of both sides, the patient's left first."""
        if shown.analysis is None or shown.capture_time < self._next:
            return
        self._next = shown.capture_time + 1.0
        left, right = shown.analysis.au_left.get(12), shown.analysis.au_right.get(12)
        print(f"{shown.capture_time:8.2f} s  left {left}  right {right}")
