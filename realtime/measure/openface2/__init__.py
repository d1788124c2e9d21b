"""OpenFace 2.2 Action Units."""
