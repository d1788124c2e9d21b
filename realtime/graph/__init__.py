"""A dataflow engine for live streams: nodes on threads or inline, edges with a policy, joins that never stall.

    graph = Graph("camera to screen", clock=RealClock())
    camera = graph.source("camera", reader, max_age=1.0)                 # open(), read(stop) -> Item | None, close()
    analyse = graph.transform("analyse", analyser, run_on="thread")      # process(frame) -> result | None
    draw = graph.transform("draw", drawer, run_on="thread")              # process(frame, analysis=Side | None) -> picture
    screen = graph.sink("screen", show)                                  # inline, on the event loop
    graph.connect(camera, analyse, Latest())
    graph.connect(camera, draw, DropOldest(2))
    graph.connect(analyse, draw, Latest(), as_side="analysis", join=Hold(max_age=0.5, wait=0.012))
    graph.connect(draw, screen, DropOldest(2))
    graph.on_drop(lambda connection, reason, envelope: ...)
    report = await graph.run(until=stop, duration=60.0)

It knows nothing of what the payloads are, and imports nothing from the rest of the program.
"""

from realtime.graph.clock import Clock, RealClock, VirtualClock
from realtime.graph.controller import LatencyController, LatencyControllerSettings
from realtime.graph.edge_state import EdgeStatistics
from realtime.graph.edges import Edge
from realtime.graph.graph import Graph
from realtime.graph.histogram import Percentiles
from realtime.graph.joins import Exact, Hold, Join, LatestBefore
from realtime.graph.messages import Envelope, GraphError, Item, Reset, Side
from realtime.graph.policies import Block, DropNewest, DropOldest, DropReason, Latest, Policy
from realtime.graph.protocols import Processor, StopToken
from realtime.graph.report import NodeReport, PathReport, Report, SourceReport
from realtime.graph.source import Reader, Restart, SourceStalledError
from realtime.graph.topology import Connection, NodeHandle, SourceHandle
from realtime.graph.trace import Trace

__all__ = [
    "Block",
    "Clock",
    "Connection",
    "DropNewest",
    "DropOldest",
    "DropReason",
    "Edge",
    "EdgeStatistics",
    "Envelope",
    "Exact",
    "Graph",
    "GraphError",
    "Hold",
    "Item",
    "Join",
    "LatencyController",
    "LatencyControllerSettings",
    "Latest",
    "LatestBefore",
    "NodeHandle",
    "NodeReport",
    "PathReport",
    "Percentiles",
    "Policy",
    "Processor",
    "Reader",
    "RealClock",
    "Report",
    "Reset",
    "Restart",
    "Side",
    "SourceHandle",
    "SourceReport",
    "SourceStalledError",
    "StopToken",
    "Trace",
    "VirtualClock",
]
