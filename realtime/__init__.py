"""facemirror-live: live Action Units, landmarks and mirrored half-faces from a camera, with a bounded latency."""

__version__ = "0.1.0"
