"""`python -m tools.train.landmarks`: see `tools.train.landmarks.train`."""

from tools.command import guarded, require

guarded(lambda: require("torch", "onnx"))

from tools.train.landmarks.train import main  # noqa: E402  after the check of what it imports

guarded(main)
