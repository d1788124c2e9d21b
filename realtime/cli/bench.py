"""`facemirror-live bench`: how fast this machine runs the graph."""

import argparse

from rich.console import Console
from rich.table import Table

from realtime.app.output_files import SUMMARY, check_output
from realtime.app.run import Run
from realtime.config import resolve
from realtime.files import write_json


def bench(options: argparse.Namespace) -> int:
    """The demo clip through the whole graph, as fast as possible; nothing is stored."""
    settings = {"source": "demo", "speed": "max", "headless": True, "weights": options.weights}
    if options.json is not None:
        check_output(options.json, "--json", SUMMARY)
    code, summary = Run(resolve(settings)).execute()
    table = Table("part", "p50 ms", "p95 ms", "frames", box=None, header_style="bold")
    for name, node in summary["nodes"].items():
        service = node["service_ms"]
        if service["p50"] is not None:
            table.add_row(name, f"{service['p50']:.2f}", f"{service['p95']:.2f}", str(node["processed"]))
    console = Console()
    console.print(table)
    frames = summary["frames"]["delivered"]
    cost = 1e3 * summary["cpu_seconds_running"] / max(1, frames)
    console.print(f"{summary['fps']:.0f} fps, {cost:.1f} ms of CPU a frame, {summary['peak_rss_mb']:.0f} MB at most")
    if options.json is not None:
        write_json(options.json, summary)
    return code
