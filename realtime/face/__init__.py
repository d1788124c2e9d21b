"""The face path: detection, cadence, landmarks, tracking, smoothing, flow, alignment, mirroring, head pose.

Pure functions and small objects with `update()`: no clock, no I/O, no networks of their own (those come in as callables).
A program needs `FaceDetector`, `LandmarkModel`, `Tracker` and, for pictures shown later than they were analysed, `PointFlow`.
"""
