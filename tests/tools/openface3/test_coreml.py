"""Core ML: pixel scaling that reproduces the network's own input, conversion to a saved package, its report, Mac guards."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("coremltools")

from torch import nn  # noqa: E402

from realtime.errors import ModelFileError, UserInputError  # noqa: E402
from tools.analyze import coreml_package, words  # noqa: E402
from tools.coreml import convert, on_mac, quiet  # noqa: E402
from tools.coreml.palette import palette  # noqa: E402
from tools.export.networks import reference  # noqa: E402
from tools.networks import catalogue  # noqa: E402

pytestmark = [
    pytest.mark.tools,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


class Small(nn.Module):
    """Convolution, instance normalisation, SiLU and a linear layer: what a report should find."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 96, 3, 2, padding=1)
        self.linear = nn.Linear(96, 40)

    def forward(self, x: Any) -> Any:
        x = nn.functional.silu(nn.functional.instance_norm(self.conv(x)))
        return self.linear(x.mean((2, 3)))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prepared = convert.Prepared(
        Small().eval(), convert.PixelScale("BGR", 2 / 255, (-1.0, -1.0, -1.0)), ("y",), (32, 48)
    )
    model = convert.convert_module(prepared)
    folder = tmp_path_factory.mktemp("coreml")
    model.save(str(folder / "small.mlpackage"))
    small = convert.compress(model, "palette4")
    small.save(str(folder / "palette.mlpackage"))
    return folder / "small.mlpackage"


def test_a_package_is_saved_and_its_operations_counted(package: Path) -> None:
    report = coreml_package.report(package)
    assert report.counts["Conv"] == 1
    assert report.counts["InstanceNorm"] == 1
    assert report.counts["Linear"] == 1
    assert report.macs == 96 * 16 * 24 * 27 + 96 * 40
    assert report.inputs == {"image": "image 32x48"}
    assert report.types["float16"] >= 96 * 27 + 96 * 40
    assert report.types["activations float16"] > 4
    assert "estimate" in words.text(report)


def test_what_the_package_holds(package: Path) -> None:
    ct = quiet.coremltools()
    spec = ct.models.MLModel(str(package), skip_model_load=True).get_spec()
    assert spec.specificationVersion == 8  # iOS 17
    image = spec.description.input[0].type.imageType
    assert (image.height, image.width) == (32, 48)
    assert image.colorSpace == image.ColorSpace.Value("BGR")


def test_a_palette_makes_it_smaller(package: Path) -> None:
    plain, palette = (coreml_package.report(package.parent / name) for name in ("small.mlpackage", "palette.mlpackage"))
    weights = package / "Data/com.apple.CoreML/weights/weight.bin"
    smaller = package.parent / "palette.mlpackage/Data/com.apple.CoreML/weights/weight.bin"
    assert smaller.stat().st_size < 0.5 * weights.stat().st_size
    assert palette.types["lut_to_dense"] > 6000
    assert plain.counts == palette.counts


@pytest.mark.parametrize("name", ["multitask", "retinaface"])
def test_pixels_scaled_by_the_package_are_the_networks_own_input(name: str) -> None:
    network = catalogue.named(name)
    torch.manual_seed(2)
    module = network.build(None).eval()
    prepared = convert.prepare(module, (96, 128) if name == "retinaface" else None)
    picture = np.random.default_rng(1).integers(0, 256, (*prepared.size, 3), dtype=np.uint8)
    ordered = picture if prepared.pixels.order == "BGR" else picture[..., ::-1]
    package_input = ordered.astype(np.float32) * np.array(prepared.pixels.scale, np.float32) + np.array(
        prepared.pixels.bias, np.float32
    )
    with torch.no_grad():
        found = prepared.module(torch.from_numpy(package_input.transpose(2, 0, 1)[None].copy()))
    expected = reference(module, torch.from_numpy(network.scale.apply(picture)))
    if name == "retinaface":
        expected[1] = expected[1].softmax(-1)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_a_palette_is_nearly_the_best_there_is() -> None:
    """Against Lloyd-Max's optimum for a normal distribution and 16 levels: mean squared error 0.01154 (Max, 1960)."""
    weights = np.random.default_rng(0).normal(size=(200, 500)).astype(np.float32)
    values, indices = palette(weights, 4)
    assert values.shape == (16,)
    assert indices.shape == weights.shape
    assert np.mean((values[indices] - weights) ** 2) < 0.0120
    nearest = np.abs(weights[:3, :40, None] - values).argmin(-1)
    assert (nearest == indices[:3, :40]).all()


def test_stars_pixels_reach_minus_one_to_one(star_checkpoint: Path) -> None:
    module, _ = catalogue.load("star", star_checkpoint)
    pixels = convert.prepare(module, stacks=1).pixels
    values = np.array([0, 255]) * pixels.scale + pixels.bias[0]
    np.testing.assert_allclose(values, [-1, 1], atol=1e-6)
    ours = catalogue.named("star").scale.apply(np.full((256, 256, 3), 200, np.uint8))
    assert ours[0, 0, 0, 0] == pytest.approx(200 * pixels.scale + pixels.bias[0], abs=1e-6)


def test_agreement_is_measured_in_crop_pixels() -> None:
    a = [{"landmarks": np.zeros((1, 2, 2))}]
    b = [{"landmarks": np.array([[[3 / 128, 4 / 128], [0, 0]]])}]
    found = on_mac.differences("star", a, b)
    assert found.largest == pytest.approx(5)
    assert found.mean == pytest.approx(2.5)
    assert not found.within
    assert on_mac.differences("multitask", [{"au": np.array([0.5])}], [{"au": np.array([0.51])}]).within


@pytest.mark.skipif(sys.platform == "darwin", reason="here it would run")
def test_predicting_elsewhere_is_refused_in_one_sentence(package: Path, tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="need a Mac"):
        on_mac.placement(package)
    with pytest.raises(UserInputError, match="need a Mac"):
        on_mac.compare("star", package, tmp_path / "x.onnx", [])


def test_a_numpy_that_cannot_trace_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "__version__", "2.4.0")
    with pytest.raises(UserInputError, match=r"numpy<2\.4"), quiet.converting():
        pass


def test_bad_words(star_checkpoint: Path, tmp_path: Path) -> None:
    for arguments, sentence in (
        ({"out": tmp_path / "x.onnx"}, "mlpackage"),
        ({"out": tmp_path / "x.mlpackage", "compression": "zip"}, "--compress takes"),
        ({"out": tmp_path / "x.mlpackage", "size": (64, 64)}, "--size is for retinaface"),
    ):
        with pytest.raises(UserInputError, match=sentence):
            convert.convert("star", star_checkpoint, **arguments)
    broken = tmp_path / "broken.mlpackage"
    with pytest.raises(ModelFileError, match="not a Core ML package"):
        coreml_package.report(broken)
    broken.mkdir()
    (broken / "Manifest.json").write_text("{}")
    with pytest.raises(ModelFileError, match="package that can be read"):
        coreml_package.report(broken)
