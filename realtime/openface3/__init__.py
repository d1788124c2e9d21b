"""OpenFace 3.0's networks on a user's machine: downloaded with their licence, converted, measured, drawn.

Import from the modules; this file loads nothing, so that a run without `--models openface3` pays nothing.
"""
