"""`python -m tools.train.action_units`: see `tools.train.action_units.train`."""

from tools.command import guarded, require

guarded(lambda: require("torch", "onnx"))

from tools.train.action_units.train import main  # noqa: E402  after the check of what it imports

guarded(main)
