"""Measurements sent to other programs while a session runs: Lab Streaming Layer and Open Sound Control.

Both need extras (`lsl`, `osc`), which are imported when a stream is opened.
"""

from realtime.streams.lsl import LslStreams, source_identity
from realtime.streams.osc import OscStream, parse_address

__all__ = ["LslStreams", "OscStream", "parse_address", "source_identity"]
