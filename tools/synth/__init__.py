"""Faces with known truth, rendered from ICT-FaceKit with photographic skin."""

from tools.synth.kit import EXPRESSION_NAMES
from tools.synth.sampler import Rendered, Sampler

__all__ = ["EXPRESSION_NAMES", "Rendered", "Sampler"]
