"""Offline work: analysis, export, conversion, synthesis, training, benchmarks. Needs the `tools` extra."""
