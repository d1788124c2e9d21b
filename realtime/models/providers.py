"""Execution providers: the user's words for them, and what each is told."""

from pathlib import Path

from realtime.models.onnx_session import CPU

WORDS = {"coreml": "CoreMLExecutionProvider", "cuda": "CUDAExecutionProvider", "cpu": CPU}


def provider_options(provider: str, cache: Path) -> dict[str, str]:
    """CoreML: ML Program on CPU and Neural Engine, compiled models cached between runs."""
    if provider == WORDS["coreml"]:
        return {
            "ModelFormat": "MLProgram",
            "MLComputeUnits": "CPUAndNeuralEngine",
            "RequireStaticInputShapes": "1",
            "ModelCacheDirectory": str(cache / "coreml"),
        }
    return {}
