"""`facemirror-live compare` and `align`: two recordings beside each other, and a session on the clock of a recorder."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from realtime.cli.exchange import annotations_in
from realtime.cli.session import beside, list_in_manifest
from realtime.cli.terminal import messages
from realtime.errors import DeviceError, UserInputError
from realtime.exchange import agreement_page as pages
from realtime.exchange.annotations import Annotations
from realtime.exchange.raters import compare_raters
from realtime.exchange.series import paired, read_series
from realtime.files import reason, write_atomically
from realtime.session.manifest import session_of


def compare(options: argparse.Namespace) -> int:
    """Two sessions or programs by their Action Units, or two coders by their annotations.

    Raises:
        UserInputError: one is not there or is damaged, they have nothing in common, or the page exists.
    """
    a, b = options.a, options.b
    for path in (a, b):
        if not path.exists():
            raise UserInputError(f"There is no file or folder {path}.")
    page: Path = options.out or a.resolve().with_name(f"{a.resolve().stem}-and-{b.resolve().stem}.html")
    table = page.with_suffix(".csv")
    for target in (page, table):
        if target.exists():
            raise UserInputError(f"{target} exists already and is not overwritten; choose another name with --out.")
    coders = [annotations_in(path) for path in (a, b)]
    if coders[0] is not None and coders[1] is not None:
        return _raters((coders[0], coders[1]), (a, b), page, options.until)
    if coders[0] is not None or coders[1] is not None:
        raise UserInputError("One of the two holds annotations and the other Action Units: they cannot be compared.")
    both = read_series(a, options.by), read_series(b, options.by)
    found = paired(*both)
    figures = pages.agreements(found)
    if not figures:
        raise UserInputError(f"{a} and {b} have no moment at which both have a value.")
    print(
        f"{'AU':>4} {'side':6}{'moments':>8}{'ICC(2,1)':>10}{'ICC(3,1)':>10}{'r':>7}{'bias':>8}   limits of agreement"
    )
    for one in figures:
        limits = (
            f"{_number(one.limits.bias):>8}   {_number(one.limits.lower)} to {_number(one.limits.upper)}"
            if one.limits
            else ""
        )
        numbers = f"{_number(one.icc21):>10}{_number(one.icc31):>10}{_number(one.r):>7}"
        print(f"{one.key[0]:>4} {one.key[1]:6}{one.moments:8,}{numbers}{limits}")
    names = (both[0].name, both[1].name)
    _write({page: pages.agreement_page(names, found, figures).encode(), table: pages.agreement_csv(figures)})
    for note in found.notes:
        messages.say(f"{note}.")
    return 0


def align(options: argparse.Namespace) -> int:
    """Write the rows with the recorder's time, and print how well the clocks fit.

    Raises:
        UserInputError: the session has no rows, the XDF file does not fit, or the target exists.
    """
    from realtime.exchange import xdf

    session_of(options.session)
    target = options.out or beside(options.session, "aligned.csv")
    if target.exists():
        raise UserInputError(f"{target} exists already and is not overwritten; choose another name with --out.")
    found = xdf.align(options.session, options.xdf)
    count = xdf.write_aligned(options.session, found, target)
    list_in_manifest(options.session, target, "align")
    print(f"{target}: {count:,} rows, {found.last - found.first:.2f} s of them recorded")
    print(f"{found.stream}: {found.matched:,} of {found.samples:,} samples are rows of this session")
    print(f"residual error of the samples: {_milliseconds(found.median_error, found.max_error)}")
    if found.clocks:
        errors = _milliseconds(found.median_clock_error, found.max_clock_error)
        print(f"residual error of {found.clocks} clock measurements: {errors}")
    else:
        messages.say("The file holds no clock measurements: its times are those of this machine's own clock.")
    print(f"clock: the recorder's gains {1e6 * (found.rate - 1):.2f} microseconds a second")
    return 0


def _milliseconds(median: float, largest: float) -> str:
    return f"median {1000 * median:.3f} ms, max {1000 * largest:.3f} ms"


def _raters(coders: tuple[Annotations, Annotations], paths: tuple[Path, Path], page: Path, until: float | None) -> int:
    found = compare_raters(*coders, None if until is None else round(1000 * until))
    print(f"{'code':24}{'kappa':>8}{'A':>6}{'B':>6}{'matched':>9}{'F1':>7}")
    for one in found.codes:
        name = one.code if one.kind == "label" else f"{one.code} (marker)".strip()
        print(
            f"{name[:23]:24}{_number(one.kappa):>8}{one.events[0]:6}{one.events[1]:6}{one.events[2]:9}{_number(one.f1):>7}"
        )
    said = "as asked for" if until is not None else "the end of the last annotation; --until SECONDS says otherwise"
    notes = [f"0 to {found.end / 1000:.3f} s ({said})", f"{found.excluded / 1000:.3f} s of it excluded"]
    first, second = (coder.coder or path.name for coder, path in zip(coders, paths, strict=True))
    _write(
        {
            page: pages.rater_page((first, second), found, notes).encode(),
            page.with_suffix(".csv"): pages.rater_csv(found),
        }
    )
    messages.say(f"compared: {'; '.join(notes)}.")
    return 0


def _number(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}"  # no -0.00


def _write(contents: Mapping[Path, bytes]) -> None:
    for path, content in contents.items():
        try:
            with write_atomically(path) as file:
                file.write(content)
        except OSError as error:
            raise DeviceError(f"{path} cannot be written ({reason(error)}).") from None
        print(path)
