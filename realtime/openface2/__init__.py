"""OpenFace 2.2, all of it in this room: installed (`pull`), measured live (`pipeline`, `node`), written in OpenFace's columns
(`csv_file`, `parts_file`) and processed offline (`reprocess`): seventeen intensities (0..5) for the face and each doubled half.

    assets = load(folder)                        # an OpenFace installation, or what `models pull openface2` left
    path = OpenFace2(assets)
    result = path.update(image, points68, line)  # one frame; line: the midline of the halves
    result[Face.WHOLE].intensity[12], result[Face.LEFT].measured, result[Face.RIGHT].reason

The project ships none of OpenFace's files; their licence allows academic use only.
"""

from realtime.openface2.assets import Assets, load
from realtime.openface2.pipeline import Channel, Face, Measurement, OpenFace2, Unmeasured
from realtime.openface2.points68 import Pfld68, from_98
from realtime.openface2.warm_up import warm_up

__all__ = [
    "Assets",
    "Channel",
    "Face",
    "Measurement",
    "OpenFace2",
    "Pfld68",
    "Unmeasured",
    "from_98",
    "load",
    "warm_up",
]
