"""What comes in and goes out: cameras, files, streams and the demo; recording, virtual camera, preview window.

OpenCV is loaded here, before any module of this package loads PyAV. Both wheels for Linux bring their own libxcb, and
when PyAV's is the first, OpenCV's first window hangs for ever (PyAV issue 1050, OpenCV issue 29195).
"""

import cv2  # noqa: F401 - for the order in which libraries are loaded
