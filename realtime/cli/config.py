"""`facemirror-live config`."""

import argparse
import json

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from realtime.cli.settings import resolved


def show(options: argparse.Namespace) -> int:
    """Print every setting with its value and origin."""
    rows = resolved(options).rows()
    if options.json:
        print(
            json.dumps({name: {"value": value, "from": origin} for name, value, origin in rows}, default=str, indent=2)
        )
        return 0
    table = Table("setting", "value", "from", box=None, header_style="bold")
    for name, value, origin in rows:
        shown = "x".join(map(str, value)) if name == "size" and value else str(value)
        table.add_row(name, escape(shown), escape(origin))
    Console().print(table)
    return 0
