"""From parsed options to a resolved configuration."""

import argparse
from typing import Any

from realtime.config import Resolved, resolve
from realtime.errors import UserInputError

_NOT_SETTINGS = {"command", "config", "set", "quiet", "json", "action"}


def resolved(options: argparse.Namespace, **fixed: Any) -> Resolved:
    """The settings in force. fixed: what the command itself decides, unless the user said otherwise."""
    said = {k: v for k, v in vars(options).items() if k not in _NOT_SETTINGS and v is not None}
    for pair in options.set:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UserInputError(f"--set reads NAME=VALUE, not {pair!r}. `facemirror-live config` lists all names.")
        said[name.strip().replace("-", "_")] = value.strip()
    return resolve({**fixed, **said}, options.config)
