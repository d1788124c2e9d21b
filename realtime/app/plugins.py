"""Sinks of other distributions, found by entry points of the group `realtime.sinks`.

An entry point names a class, or a function without arguments, that gives an object with `process(shown)`; `open()` and
`close()` are called where it has them. All run on the sink's own thread. It gets the newest `RenderedFrame` whenever it is
free, without the captured picture, so that what is blurred stays blurred. What it raises never reaches the picture path.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import Any

from realtime.entry_points import plugin, plugin_error
from realtime.types import RenderedFrame

SINKS = "realtime.sinks"
_PATIENCE = 30

log = logging.getLogger(__name__)


class PluginSink:
    """A plug-in's sink behind a guard.

    The first error is reported in one sentence. After 30 pictures in a row that failed the sink gets no more.

    Args:
        name: of the entry point.
        make: gives the sink; called on the sink's thread.
        report: called with each sentence.
    """

    def __init__(self, name: str, make: Callable[[], Any], report: Callable[[str], None] = log.warning) -> None:
        self.name = name
        self._make = make
        self._report = report
        self._sink: Any = None
        self._failures = 0
        self._reported = False

    def open(self) -> None:
        """Make and open the sink."""
        try:
            self._sink = self._make()
            if hasattr(self._sink, "open"):
                self._sink.open()
        except Exception as error:  # noqa: BLE001  a plug-in may raise anything
            self._sink = None
            self._report(f"The plug-in sink {self.name} cannot be opened ({plugin_error(error)}); going on without it.")

    def process(self, shown: RenderedFrame) -> None:
        """Give the sink one picture."""
        if self._sink is None:
            return
        try:
            self._sink.process(replace(shown, frame=None))
        except Exception as error:  # noqa: BLE001  a plug-in may raise anything
            self._failures += 1
            if not self._reported:
                self._reported = True
                self._report(
                    f"The plug-in sink {self.name} fails ({plugin_error(error)}); the pictures go on without it."
                )
            if self._failures >= _PATIENCE:
                self.close()
        else:
            self._failures = 0

    def close(self) -> None:
        """Close the sink. Safe to call twice."""
        sink, self._sink = self._sink, None
        if hasattr(sink, "close"):
            try:
                sink.close()
            except Exception as error:  # noqa: BLE001  a plug-in may raise anything
                self._report(f"The plug-in sink {self.name} cannot be closed ({plugin_error(error)}).")


def plugin_sinks(names: Sequence[str]) -> tuple[PluginSink, ...]:
    """The sinks with these names. None is loaded yet.

    Raises:
        UserInputError: no installed distribution has a sink of this name.
    """
    return tuple(PluginSink(name, _maker(plugin(SINKS, name, f"sinks = {name}"))) for name in names)


def _maker(point: EntryPoint) -> Callable[[], Any]:
    return lambda: point.load()()
