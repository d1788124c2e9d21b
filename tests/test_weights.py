"""What stands in weights/ is what its manifest says, small enough, with a card and a licence each."""

from pathlib import Path

from realtime.models import Registry, weights_folder

LIMIT = 8_000_000


def test_every_embedded_model_is_there_and_right() -> None:
    registry = Registry()
    assert {spec.role for spec in registry.manifest.models.values()} >= {"detector", "landmarks", "action-units"}
    assert [check.problem for check in registry.verify() if check.problem] == []


def test_together_they_are_small() -> None:
    assert sum(spec.bytes for spec in Registry().manifest.models.values() if spec.embedded) <= LIMIT


def test_each_has_a_licence_a_source_and_a_card_that_exists() -> None:
    for spec in Registry().manifest.models.values():
        assert spec.licence
        assert spec.source
        assert spec.card is not None
        assert (weights_folder() / spec.card).is_file()


def test_nothing_lies_beside_them_that_the_manifest_does_not_name() -> None:
    folder = weights_folder()
    named = {spec.file for spec in Registry().manifest.models.values()}
    assert {path.name for path in Path(folder).glob("*.onnx")} == named
