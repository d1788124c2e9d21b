"""From parsed options to a resolved configuration."""

import argparse
from typing import Any

from realtime.config import Resolved, resolve
from realtime.errors import UserInputError

_NOT_SETTINGS = {"command", "config", "set", "quiet", "json", "action"}


def resolved(options: argparse.Namespace, **fixed: Any) -> Resolved:
    """The settings in force.

    Args:
        options: the parsed command line.
        fixed: what the command itself decides, unless the user gave another value.

    Raises:
        UserInputError: a setting is unknown or out of its range.
    """
    given = {name: value for name, value in vars(options).items() if name not in _NOT_SETTINGS and value is not None}
    for pair in options.set:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UserInputError(f"--set reads NAME=VALUE, not {pair!r}. `facemirror-live config` lists all names.")
        given[name.strip().replace("-", "_")] = value.strip()
    return resolve({**fixed, **given}, options.config)
