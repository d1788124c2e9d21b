"""`python -m tools.train.detector`: see `tools.train.detector.train`."""

from tools.command import guarded, require

guarded(lambda: require("torch", "onnx"))

from tools.train.detector.train import main  # noqa: E402  after the check of what it imports

guarded(main)
