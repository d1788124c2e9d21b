"""`facemirror-live graph`."""

import argparse

from realtime.app.pipeline import Outputs, build
from realtime.cli.settings import resolved
from realtime.graph import RealClock
from realtime.media.source_spec import SourceKind, SourceSpec
from realtime.media.video_source import VideoSource


def show(options: argparse.Namespace) -> int:
    """Print the graph that these options would run, as Mermaid."""
    config = resolved(options).config
    clock = RealClock()
    source = VideoSource(SourceSpec(SourceKind.DEMO), clock.now)
    app = build(config, source, Outputs(), clock)
    print(app.graph.mermaid())
    return 0
