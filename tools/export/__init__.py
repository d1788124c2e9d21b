"""From a checkpoint to an ONNX file that runs fast and says what it is."""
