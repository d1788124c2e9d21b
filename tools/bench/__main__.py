"""`python -m tools.bench NAME [--json FILE]`: run one measurement, print its table, keep its numbers."""

import argparse
import importlib
import json
import pkgutil
import sys
from pathlib import Path

import tools.bench
from realtime.errors import UserInputError
from tools.bench.surroundings import Watch
from tools.bench.timing import Report

_HELPERS = {
    "__main__",
    "clips",
    "growth_plot",
    "openface3_networks",
    "simulated_day",
    "surroundings",
    "timing",
    "viewer_session",
}


def names() -> list[str]:
    """The measurements there are."""
    return sorted(m.name for m in pkgutil.iter_modules(tools.bench.__path__) if m.name not in _HELPERS)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0; 1 where a bound that the measurement holds figures against is missed; 2 where it cannot be made."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("name", help=f"one of: {', '.join(names())}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file as well")
    options, rest = parser.parse_known_args(arguments)
    if options.name not in names():
        print(f"There is no measurement called {options.name!r}; there are: {', '.join(names())}.", file=sys.stderr)
        return 2
    module = importlib.import_module(f"tools.bench.{options.name}")
    watch = Watch()
    try:
        report: Report = module.run(rest) if rest else module.run()
    except UserInputError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    except (FileNotFoundError, ModuleNotFoundError) as missing:
        print(f"{options.name} cannot be measured here: {missing}", file=sys.stderr)
        return 2
    if options.name != "compare":  # which measures nothing
        report.surroundings = watch.so_far()
    print(report.table())
    if options.json is not None:
        options.json.write_text(json.dumps(report.as_dict(), indent=2) + "\n", encoding="utf-8")
    return int(bool(report.missed))


if __name__ == "__main__":
    sys.exit(main())
