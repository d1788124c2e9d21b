"""Limits of the system: one sentence each, also where a library would crash."""

import pytest

from realtime.cli import main

resource = pytest.importorskip("resource")


def test_too_little_address_space_is_refused_before_a_library_crashes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    limit = 700 << 20
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (limit, limit))
    assert main(["run", "--source", "demo", "--headless"]) == 3
    assert "700 MB of address space (ulimit -v)" in capsys.readouterr().err
    assert main(["config", "--json"]) == 0, "what loads no network needs little"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ImportError("libfoo.so: failed to map\nsegment"), "cannot be loaded (libfoo.so: failed to map segment)"),
        (RuntimeError("can't start new thread"), "gives this process no more threads"),
        (MemoryError(), "not enough memory"),
    ],
    ids=["library", "threads", "memory"],
)
def test_what_the_system_refuses_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, sentence: str
) -> None:
    def refuse(_folder: object) -> None:
        raise error

    monkeypatch.setattr("realtime.cli.session.verify_session", refuse)
    assert main(["verify", "somewhere"]) == 3
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_folder: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("realtime.cli.session.verify_session", fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        main(["verify", "somewhere"])
