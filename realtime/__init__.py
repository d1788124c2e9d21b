"""facemirror-live: live Action Units, landmarks and mirrored half-faces from a camera, with a bounded latency."""

from realtime.privacy import disable_telemetry

__version__ = "0.1.0"

disable_telemetry()
