"""Plug-ins of other distributions, found by their entry points."""

from importlib.metadata import EntryPoint, entry_points

from realtime.errors import UserInputError
from realtime.files import one_line


def plugin(group: str, name: str, said: str) -> EntryPoint:
    """Find a plug-in. It is not loaded yet.

    Args:
        group: of the entry points, such as `realtime.sinks`.
        name: of the entry point.
        said: the user's words, for the sentence.

    Raises:
        UserInputError: no installed distribution has a plug-in of this name.
    """
    known = {point.name: point for point in entry_points(group=group)}
    if name not in known:
        there = ", ".join(sorted(known)) or "none"
        raise UserInputError(f"{said}: no such plug-in is installed (installed: {there}).")
    return known[name]


def plugin_error(error: Exception) -> str:
    """What a plug-in raised, in words for the middle of a sentence: on one line, whatever the plug-in wrote.

    Args:
        error: what was raised.
    """
    words = one_line(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
