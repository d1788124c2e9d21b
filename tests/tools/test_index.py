"""tools/README.md lists every command there is, and no other."""

import re
from collections import Counter
from pathlib import Path

from tests.conftest import ROOT

TOOLS = ROOT / "tools"


def commands() -> set[str]:
    """Modules that can be run."""
    found = set()
    for path in TOOLS.rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if path.name == "__main__.py":
            found.add(module.removesuffix(".__main__"))
        elif re.search(r"^if __name__ == .__main__.", path.read_text("utf-8"), flags=re.MULTILINE):
            found.add(module)
    return {name.removesuffix(".train") if name.count(".") == 3 and name.endswith(".train") else name for name in found}


def test_the_table_is_complete() -> None:
    text = Path(TOOLS / "README.md").read_text("utf-8")
    assert set(re.findall(r"`python -m (tools[\w.]+)", text)) == commands()


def test_no_command_is_listed_twice() -> None:
    cells = re.findall(r"^\| (`python -m [^`]+`)", Path(TOOLS / "README.md").read_text("utf-8"), flags=re.MULTILINE)
    assert cells
    assert [cell for cell, count in Counter(cells).items() if count > 1] == []
