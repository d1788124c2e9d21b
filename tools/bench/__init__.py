"""Measurements that a reader can repeat: `python -m tools.bench NAME [--json FILE]`.

A module of this package called NAME offers `run() -> Report`. Timings are interleaved medians and ratios (see `timing`), because
single figures on a shared machine mean little.
"""
