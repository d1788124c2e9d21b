"""Offline work: analysis, export, conversion, synthesis, training, benchmarks. Needs the `tools` extra."""

import realtime  # noqa: F401 - switches ONNX Runtime's telemetry off before any tool loads it
