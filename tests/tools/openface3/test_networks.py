"""The rebuilt networks against upstream's own code, on the same random weights."""

import warnings
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from tests.tools.openface3 import upstream  # noqa: E402
from tools.networks import multitask, star  # noqa: E402

pytestmark = [pytest.mark.tools, pytest.mark.timeout(240)]


def randomised(network: Any) -> Any:
    """Every parameter and every running statistic random, so that no wrong use of one stays hidden."""
    generator = torch.Generator().manual_seed(5)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var") or (".bn" in name and name.endswith("weight")):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif tensor.is_floating_point() and "e2h" not in name:
            scale = 1 / max(tensor[0].numel(), 1) ** 0.5 if tensor.dim() > 1 else 0.1
            tensor.normal_(0, scale, generator=generator)
    return network.eval()


@pytest.mark.parametrize(("points", "edges"), [(98, star.WFLW_EDGES), (68, star.IBUG_EDGES)])
def test_star_equals_upstream(points: int, edges: Any) -> None:
    theirs = randomised(upstream.star(edges, points))
    ours = star.StackedHourglass(points).eval()
    ours.load_state_dict(theirs.state_dict())
    picture = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # upstream calls meshgrid the old way
        maps, fused, last = theirs(picture)
        outputs = ours(picture)
    for k, out in enumerate(outputs):
        for ours_k, theirs_k in zip(
            (out.landmarks, out.point_maps, out.edge_maps), maps[3 * k : 3 * k + 3], strict=True
        ):
            torch.testing.assert_close(ours_k, theirs_k, atol=1e-4, rtol=0)
        torch.testing.assert_close(out.fused, fused[k], atol=1e-4, rtol=0)
    torch.testing.assert_close(outputs[-1].landmarks, last, atol=1e-4, rtol=0)
    assert last.std() > 0.01  # the comparison is of something


def test_multitask_equals_upstream() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # timm renamed the variant that upstream asks for
        theirs = randomised(upstream.multitask())
    ours = multitask.MultitaskNet().eval()
    ours.load_state_dict(theirs.state_dict())
    picture = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for a, b in zip(ours(picture), theirs(picture), strict=True):
            torch.testing.assert_close(a, b, atol=1e-4, rtol=0)
            assert a.std() > 1e-3
