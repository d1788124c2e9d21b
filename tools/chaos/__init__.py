"""Random kills while a batch runs, and the comparison of what is left with an undisturbed run, byte for byte.

`python -m tools.chaos [--dask local|processes] [--clips 200] [--kills 50] [--seed 1]`: minutes of both cores, so it is no
part of the suite.
"""
