"""Which files OpenFace 3.0 publishes, where, under what licence, and how each is known to be whole."""

from dataclasses import dataclass
from pathlib import Path

from realtime.models.registry import cache_folder

BASE = "https://huggingface.co/nutPace/openface_weights/resolve/main/"
NOTICE = (
    "OpenFace 3.0 (Carnegie Mellon University) is licensed for ACADEMIC OR NON-PROFIT NON-COMMERCIAL RESEARCH USE ONLY. "
    "That holds for Landmark_98.pkl (STAR, 98 landmarks) and MTL_backbone.pth (Action Units, emotion, gaze): they may not "
    "be used commercially without a licence from their owners, and work that uses them must cite it (Hu et al., "
    "OpenFace 3.0, FG 2025; Zhou et al., STAR loss, CVPR 2023). Alignment_RetinaFace.pth (Pytorch_Retinaface) is under the "
    "MIT licence. The full texts: https://github.com/CMU-MultiComp-Lab/OpenFace-3.0"
)
ACADEMIC = "OpenFace 3.0: academic and non-commercial research only"


@dataclass(frozen=True, slots=True)
class Official:
    """One published checkpoint. network: its word in tools.networks. bytes: None where upstream's size is not recorded."""

    network: str
    name: str
    sha256: str
    bytes: int | None
    licence: str


OFFICIAL = (
    Official(
        "retinaface",
        "Alignment_RetinaFace.pth",
        "2979b33ffafda5d74b6948cd7a5b9a7a62f62b949cef24e95fd15d2883a65220",
        1_789_735,
        "MIT",
    ),
    Official(
        "star",
        "Landmark_98.pkl",
        "b49eb62de453fbc3ef278c52b8f85630b536d0a43b82a92d6ff7a11485f12c2a",
        None,
        ACADEMIC,
    ),
    Official(
        "multitask",
        "MTL_backbone.pth",
        "72f45843c7a3ed9500835c507467f32e864a23971160f733aeb23797a05a5bcd",
        101_710_914,
        ACADEMIC,
    ),
)


def default_folder() -> Path:
    """Where the converted networks are installed when nothing else is said."""
    return cache_folder() / "openface3"


def checkpoints_folder() -> Path:
    """Where the published files are kept, so that converting them again needs no network."""
    return cache_folder() / "openface3-checkpoints"
