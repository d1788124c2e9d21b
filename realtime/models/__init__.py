"""Networks as data: a manifest says what each file is, a registry checks and opens it, sessions run it and never hang."""

from realtime.models.manifest import Manifest, ModelInput, ModelSpec, load_manifest
from realtime.models.onnx_session import ModelSession, OnnxSession
from realtime.models.registry import Registry, weights_folder

__all__ = [
    "Manifest",
    "ModelInput",
    "ModelSession",
    "ModelSpec",
    "OnnxSession",
    "Registry",
    "load_manifest",
    "weights_folder",
]
