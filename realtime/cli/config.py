"""`facemirror-live config`."""

import argparse
import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from realtime.cli.settings import resolved
from realtime.config import descriptions


def show(options: argparse.Namespace) -> int:
    """Print every setting with its value, its origin and what it means."""
    rows, meanings = resolved(options).rows(), descriptions()
    if options.json:
        found = {name: {"value": value, "from": origin, "meaning": meanings[name]} for name, value, origin in rows}
        print(json.dumps(found, default=str, indent=2))
        return 0
    table = Table("setting", "value", "from", "meaning", box=None, header_style="bold", pad_edge=False)
    for column, overflow in zip(table.columns, ("fold", "fold", "fold", "fold"), strict=True):
        column.overflow = overflow  # type: ignore[assignment]
    for name, value, origin in rows:
        table.add_row(name, escape(_shown(name, value)), escape(origin), escape(meanings[name]))
    Console().print(table)
    return 0


def _shown(name: str, value: Any) -> str:
    if name == "size" and value:
        return "x".join(map(str, value))
    return ", ".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)
