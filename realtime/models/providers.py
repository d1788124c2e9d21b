"""Execution providers: their names in the settings, and the options each is opened with."""

from pathlib import Path

from realtime.models.onnx_session import CPU

PROVIDERS = {"coreml": "CoreMLExecutionProvider", "cuda": "CUDAExecutionProvider", "cpu": CPU}


def provider_options(provider: str, cache: Path) -> dict[str, str]:
    """Give the options to open a provider with.

    Args:
        provider: ONNX Runtime's name. CoreML gets ML Programs on CPU and Neural Engine, with compiled models kept between runs.
        cache: the folder for compiled models.
    """
    if provider == PROVIDERS["coreml"]:
        return {
            "ModelFormat": "MLProgram",
            "MLComputeUnits": "CPUAndNeuralEngine",
            "RequireStaticInputShapes": "1",
            "ModelCacheDirectory": str(cache / "coreml"),
        }
    return {}
