"""What every run of the program imports; loaded once by the process from which they are forked."""

import cv2  # noqa: F401

import realtime.app.pipeline
import realtime.app.run
import realtime.cli.live
import realtime.cli.machine
import realtime.cli.parser  # noqa: F401
