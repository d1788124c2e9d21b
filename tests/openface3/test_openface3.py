"""OpenFace 3.0's family through the graph, with stand-in networks; the real shapes with random weights where torch is installed."""

import csv
import json
import math
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.analyze.models import landmark_tiers
from realtime.app.nodes.compose import Compose
from realtime.app.nodes.quality import COARSE_DETECTION, HALF_RATE, LIGHT_LANDMARKS, SPARSE_DETECTION, Quality
from realtime.cli import main
from realtime.errors import ModelFileError
from realtime.face.crops import crop_from_box, crop_from_points
from realtime.face.matching import face_box
from realtime.face.point_flow import PointFlow
from realtime.graph import Side
from realtime.media.demux_options import demo_clip
from realtime.models import ModelSpec, Registry
from realtime.models.contracts import landmark_contract
from realtime.models.tiers import ModelLadder
from realtime.openface3.multitask import Multitask, grown, softmax
from realtime.render.scene import Scene
from realtime.types import Analysis, Frame, TrackedFrame
from tests.openface3.weights import GAZE, LOGITS, UNITS, installed, mean_face

FRAMES = 6
AUS = (1, 2, 4, 6, 9, 12, 25, 26)

OSC = find_spec("pythonosc") is not None
"""Whether the extra is installed: without it the rest of the program is tested all the same."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("cache") / "openface3")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's first frames, at 640 pixels."""
    path = tmp_path_factory.mktemp("clips") / "face.mp4"
    with av.open(str(demo_clip())) as source, av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number, frame in enumerate(source.decode(video=0)):
            if number == FRAMES:
                break
            small = frame.reformat(width=640, height=360, format="yuv420p")
            small.pts = None
            out.mux(stream.encode(small))
        out.mux(stream.encode(None))
    return path


class Fixed:
    """A session that gives what it is told, and keeps what it was given."""

    provider = "stand-in"

    def __init__(self, spec: ModelSpec, **outputs: NDArray[Any]) -> None:
        self.spec, self._outputs = spec, outputs
        self.seen: list[NDArray[np.float32]] = []

    def run(self, image: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        self.seen.append(image.copy())
        return self._outputs


def spec_of(weights: Path, role: Any) -> ModelSpec:
    return Registry(weights).manifest.find(role)


def test_stars_crop_is_the_one_it_was_trained_on(weights: Path) -> None:
    """Side 1.05 times the shorter side, the box's centre at (127.5, 127.5), no rotation: from facts, not from the code."""
    contract = landmark_contract(spec_of(weights, "landmarks"))
    box = np.array([100, 50, 300, 350], np.float32)
    tilted = np.array([[150, 150], [250, 190], [200, 220], [160, 270], [240, 290]], np.float32)
    crop = crop_from_box(box, tilted, contract)
    np.testing.assert_allclose(crop @ [200, 200, 1], [127.5, 127.5], atol=1e-9)
    scale = 256 / (1.05 * 200)
    np.testing.assert_allclose(crop[:, :2], [[scale, 0], [0, scale]], atol=1e-9)
    points = (mean_face() * 100 + 200).astype(np.float32)
    own = face_box(points)
    np.testing.assert_allclose(crop_from_points(points, contract), crop_from_box(own, tilted, contract), atol=1e-6)


def test_signed_points_become_crop_pixels_as_upstream_does() -> None:
    """crop pixel = ((p + 1) * 256 - 1) / 2."""
    from realtime.face.contract import LandmarkContract
    from realtime.face.landmarks import LandmarkModel

    values = np.linspace(-1, 1, 196, dtype=np.float32).reshape(1, 98, 2)
    model = LandmarkModel(lambda _: {"points": values}, LandmarkContract(size=256, layout="signed"))
    found = model.locate(np.zeros((256, 256, 3), np.uint8), np.array([[1.0, 0, 0], [0, 1, 0]]))
    np.testing.assert_allclose(found.points, ((values[0] + 1) * 256 - 1) / 2, atol=1e-3)


def test_both_tiers_are_open_and_switching_costs_no_frame(weights: Path) -> None:
    registry = Registry(weights)
    specs = landmark_tiers(registry.manifest, None)
    assert [spec.name for spec in specs] == ["openface3-star4", "openface3-star1"]
    assert [s.name for s in landmark_tiers(registry.manifest, "openface3-star1")] == ["openface3-star1"]
    light = False
    tiers = ModelLadder([registry.open(spec) for spec in specs], lambda: light)
    light = False
    picture = np.zeros((1, 3, 256, 256), np.float32)
    answers = []
    for frame in range(9):
        light = 3 <= frame < 6
        answers.append(float(tiers.run(picture)["points"].ravel()[0]))
    best = float(mean_face()[0, 0])
    np.testing.assert_allclose(answers, [best] * 3 + [best + 0.01] * 3 + [best] * 3, atol=1e-6)
    assert tiers.runs == [6, 3]
    assert tiers.spec.name == "openface3-star4"


def test_a_lighter_network_is_a_step_of_the_ladder_only_where_there_is_one() -> None:
    assert Quality(0.15).steps == [SPARSE_DETECTION, COARSE_DETECTION, HALF_RATE]
    quality = Quality(0.15, light_landmarks=True)
    assert quality.steps == [SPARSE_DETECTION, COARSE_DETECTION, LIGHT_LANDMARKS, HALF_RATE]
    seen: list[tuple[str, ...]] = []
    for frame in range(60 * 30):
        load = 0.4 if frame < 20 * 30 else 0.1  # seconds of age with the best network; the lighter one takes a quarter
        quality.update(load / 4 if LIGHT_LANDMARKS in quality.active else load, frame / 30)
        seen.append(quality.active)
    assert LIGHT_LANDMARKS in seen[20 * 30 - 1], "the step that helps is kept"
    assert not any(HALF_RATE in active for active in seen), "and none is taken after it"
    assert LIGHT_LANDMARKS not in seen[-1], "the best network is back when there is time for it"


def test_the_ladder_hears_of_results_too_old_to_be_given() -> None:
    """A heavy network whose results are never young enough: the lighter one is found, and stays."""
    quality, now = Quality(0.15, light_landmarks=True), [0.0]
    compose = Compose(Scene("raw", ()), PointFlow(), lambda: now[0], quality, too_old=0.5)
    picture = np.zeros((8, 8, 3), np.uint8)
    for number in range(20 * 30):
        now[0] = number / 30 + 0.01
        frame = Frame(picture, number, number / 30)
        light = LIGHT_LANDMARKS in quality.active
        payload = TrackedFrame(Analysis(number, frame.capture_time - 0.08, None), frame)
        side = Side(payload, number, frame.capture_time - 0.08, 0.08, fresh=True)
        compose.process(frame, side if light else None)
    assert LIGHT_LANDMARKS in quality.active
    assert HALF_RATE not in quality.active


def test_the_multitask_net_sees_the_grown_box_in_rgb_normalised(weights: Path) -> None:
    session = Fixed(spec_of(weights, "multitask"), emotion=LOGITS, gaze=GAZE, au=UNITS)
    image = np.zeros((400, 400, 3), np.uint8)
    image[..., 0], image[..., 1], image[..., 2] = 10, 120, 250
    found = Multitask(session).measure(image, (mean_face() * 80 + 200).astype(np.float32))
    assert found is not None
    seen = session.seen[0]
    assert seen.shape == (1, 3, 224, 224)
    wanted = (np.array([250, 120, 10]) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(seen.mean(axis=(0, 2, 3)), wanted, atol=1e-4)
    assert list(found.units) == list(AUS)
    np.testing.assert_allclose(list(found.units.values()), UNITS[0], atol=1e-6)
    exact = np.exp(LOGITS[0].astype(np.float64)) / np.exp(LOGITS[0].astype(np.float64)).sum()
    np.testing.assert_allclose(list(found.emotions.values()), exact, atol=1e-6)
    assert found.emotion == "happy"
    assert found.gaze == pytest.approx((0.1, -0.2))
    assert grown(np.array([100, 100, 200, 300], np.float32), 0.15, 640, 480) == (85, 70, 215, 330)
    assert grown(np.array([-50, -50, 20, 30], np.float32), 0.15, 640, 480) == (0, 0, 30, 42)
    assert grown(np.array([700, 100, 800, 200], np.float32), 0.15, 640, 480) is None


def test_numbers_outside_the_scale_and_no_numbers_at_all(weights: Path) -> None:
    spec = spec_of(weights, "multitask")
    image, points = np.zeros((200, 200, 3), np.uint8), (mean_face() * 40 + 100).astype(np.float32)
    wild = np.array([[-0.2, 1.3, 0, 0, 0, 0, 0, 0]], np.float32)
    found = Multitask(Fixed(spec, emotion=LOGITS, gaze=GAZE, au=wild)).measure(image, points)
    assert found is not None
    assert list(found.units.values())[:2] == [0.0, 1.0]
    lost = Multitask(Fixed(spec, emotion=LOGITS, gaze=GAZE, au=wild * np.nan))
    assert lost.measure(image, points) is None
    short = Multitask(Fixed(spec, emotion=LOGITS, gaze=GAZE, au=wild[:, :5]))
    with pytest.raises(ModelFileError, match="5 Action Units, not 8, 2 and 8"):
        short.measure(image, points)
    assert softmax(np.array([1000.0, 0.0])).tolist() == [1.0, 0.0]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def datagrams(receiver: socket.socket) -> Iterator[bytes]:
    """What has arrived."""
    while True:
        try:
            yield receiver.recv(65536)
        except BlockingIOError:
            return


def run(clip: Path, folder: Path, *more: str) -> dict[str, Any]:
    words = ["run", "--models", "openface3", "--source", str(clip), "--speed", "max", "--headless", "--quiet"]
    summary = folder / "summary.json"
    assert main([*words, "--session", str(folder / "session"), "--summary", str(summary), *more]) == 0
    found: dict[str, Any] = json.loads(summary.read_text(encoding="utf-8"))
    return found


def test_the_whole_program_with_the_familys_networks(
    weights: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEMIRROR_CACHE", str(weights.parent))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        osc = ["--osc", f"127.0.0.1:{receiver.getsockname()[1]}"] if OSC else []
        summary = run(clip, tmp_path, "--record", *osc)
        packets = list(datagrams(receiver))
    assert summary["failures"] == {}
    assert not OSC or any(b"/facemirror/openface3/au/12" in packet for packet in packets)
    assert not any(b"/facemirror/au/" in packet for packet in packets), "never as intensities"
    dictionary = json.loads((tmp_path / "session" / "data_dictionary.json").read_text())
    assert {model["name"] for model in summary["models"]} == {
        "openface3-retinaface",
        "openface3-star4",
        "openface3-star1",
        "openface3-multitask",
    }
    rows = rows_of(tmp_path / "session" / "openface3.csv")
    assert [int(row["sequence"]) for row in rows] == list(range(FRAMES))
    assert list(rows[0]) == [
        "sequence",
        "timestamp",
        "face_id",
        *(f"of3_AU{au:02d}" for au in AUS),
        "of3_emotion",
        *(f"of3_emotion_{e}" for e in ["neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"]),
        "of3_gaze_yaw",
        "of3_gaze_pitch",
    ]
    assert list(dictionary["openface3.csv"]) == list(rows[0])
    assert "frames.csv" in dictionary
    seen = [row for row in rows if row["face_id"]]
    assert len(seen) >= FRAMES - 2, "the demo's face is found at once"
    assert {row["of3_emotion"] for row in seen} == {"happy"}
    for row in seen:
        units = [float(row[f"of3_AU{au:02d}"]) for au in AUS]
        assert all(0 <= value <= 1 for value in units)
        assert units == sorted(units), "in the network's own order"
        assert math.isclose(sum(float(v) for k, v in row.items() if k.startswith("of3_emotion_")), 1, abs_tol=1e-3)
    own = rows_of(tmp_path / "session" / "frames.csv")
    assert not [cell for row in own for name, cell in row.items() if name.startswith("AU") and cell], "never as 0..5"


@pytest.mark.tools
@pytest.mark.timeout(300)  # three networks through torch: seconds on a free machine, minutes on a busy one
def test_random_weights_of_the_official_shape_run_the_whole_way(clip: Path, tmp_path: Path) -> None:
    """Checkpoint, conversion, manifest, program. They recognise nothing, so the tracker is told to believe them."""
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    import torch

    from tools.export.openface3 import convert
    from tools.networks import multitask, retinaface, star

    torch.manual_seed(5)
    checkpoints = {name: tmp_path / f"{name}.pth" for name in ("retinaface", "star", "multitask")}
    torch.save(retinaface.RetinaFace().state_dict(), checkpoints["retinaface"])
    torch.save({"net": star.StackedHourglass(98, stacks=1).state_dict()}, checkpoints["star"])
    torch.save(multitask.MultitaskNet().state_dict(), checkpoints["multitask"])
    weights = tmp_path / "weights"
    weights.mkdir()
    said: list[str] = []
    convert(checkpoints, weights, said.append, "float32")
    manifest = Registry(weights).manifest
    assert [spec.role for spec in manifest.models.values()] == ["detector", "landmarks", "multitask"]
    assert said[0] == "converting RetinaFace"
    # A random detector would find nothing to follow; the real one finds the face, the random networks measure it.
    text = (weights / "manifest.toml").read_text(encoding="utf-8").split("[[model]]")
    real = (installed(tmp_path / "real") / "manifest.toml").read_text(encoding="utf-8").split("[[model]]")
    (weights / "manifest.toml").write_text("[[model]]".join(["", real[1], *text[2:]]), encoding="utf-8")
    (weights / "retinaface.onnx").write_bytes((tmp_path / "real" / "retinaface.onnx").read_bytes())
    lax = {"start_presence": 0, "keep_presence": 0, "lost_presence": 0, "inside": 0.01, "appearance": -1}
    settings = [word for key, value in lax.items() for word in ("--set", f"tracker.{key}={value}")]
    summary = run(clip, tmp_path, "--weights", str(weights), *settings)
    assert summary["failures"] == {}
    assert summary["nodes"]["multitask"]["failed"] == 0
    assert summary["nodes"]["track"]["failed"] == 0
    measured = [row for row in rows_of(tmp_path / "session" / "openface3.csv") if row["of3_emotion"]]
    assert measured
    assert all(0 <= float(row[f"of3_AU{au:02d}"]) <= 1 for row in measured for au in AUS)
