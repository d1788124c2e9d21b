"""`facemirror-live models`."""

import argparse
import json

from rich.console import Console
from rich.table import Table

from realtime.models import Registry


def show(options: argparse.Namespace) -> int:
    """List, verify or show licences; exit code 3 when a file is not what the manifest says."""
    registry = Registry(options.weights)
    checks = registry.verify()
    failed = [c for c in checks if c.problem]
    if options.json:
        rows = [
            {**c.spec.model_dump(include={"name", "role", "file", "sha256", "bytes", "licence", "source", "purpose"}),
             "problem": c.problem}
            for c in checks
        ]  # fmt: skip
        print(json.dumps({"folder": str(registry.manifest.folder), "models": rows}, indent=2))
        return 3 if failed else 0
    table = Table(box=None, header_style="bold")
    columns = {
        "list": ("model", "for", "size", "licence", "checksum"),
        "verify": ("model", "file", "checksum"),
        "licences": ("model", "licence", "source"),
    }[options.action]
    for column in columns:
        table.add_column(column, overflow="fold")
    for c in checks:
        spec, state = c.spec, c.problem or "right"
        table.add_row(
            *{
                "list": (spec.name, spec.role, f"{spec.bytes / 1e6:.2f} MB", spec.licence, state),
                "verify": (spec.name, spec.file, state),
                "licences": (spec.name, spec.licence, spec.source),
            }[options.action]
        )
    console = Console()
    console.print(table)
    console.print(f"in {registry.manifest.folder}", style="dim")
    return 3 if failed else 0
