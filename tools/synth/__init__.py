"""Faces with known truth, rendered from ICT-FaceKit with photographic skin."""

from typing import TYPE_CHECKING, Any

from tools.synth.kit import EXPRESSION_NAMES

if TYPE_CHECKING:
    from tools.synth.sampler import Rendered, Sampler

__all__ = ["EXPRESSION_NAMES", "Rendered", "Sampler"]


def __getattr__(name: str) -> Any:
    # Loaded on demand: `python -m tools.synth.textures` must not import the sampler that imports it.
    if name in {"Rendered", "Sampler"}:
        from tools.synth import sampler

        return getattr(sampler, name)
    raise AttributeError(name)
