"""The figures of the shipped models, measured from the committed weights: `python -m tools.evaluate`."""
