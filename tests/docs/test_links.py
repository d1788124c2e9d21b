"""Links between the pages, pictures and files of the documentation lead somewhere, and every page and picture is reached."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.test_snippets import PAGES, name_of

DOCS = ROOT / "docs"
SITE_PAGES = sorted((DOCS / "pages").rglob("*.md"))


def without_code(text: str) -> str:
    """The text without fenced blocks and code spans, in which brackets are no links."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def targets(page: Path) -> list[str]:
    """What a page links to or shows inside the repository, with its anchor."""
    found = re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text("utf-8")))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Python-Markdown's `toc` makes them."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text("utf-8")), flags=re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in targets(page):
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("page", SITE_PAGES, ids=name_of)
def test_site_links_stay_in_the_site(page: Path) -> None:
    for target in targets(page):
        assert (page.parent / target).resolve().is_relative_to(DOCS / "pages"), target


def test_every_page_is_in_the_navigation() -> None:
    settings = (DOCS / "mkdocs.yml").read_text("utf-8")
    named = re.findall(r"^ +- [^:\n]+: (\S+\.md)$", settings, flags=re.MULTILINE)
    assert sorted(named) == sorted(page.relative_to(DOCS / "pages").as_posix() for page in SITE_PAGES)


def test_every_picture_is_shown() -> None:
    pictures = {
        file.resolve()
        for kind in ("png", "jpg", "svg")
        for file in (*DOCS.glob(f"*.{kind}"), *(DOCS / "pages").rglob(f"*.{kind}"))
    }
    shown = {(page.parent / target).resolve() for page in PAGES for target in targets(page)}
    assert pictures <= shown, [file.name for file in pictures - shown]


def test_models_are_counted_right() -> None:
    """README says how many models are embedded, and which Action Units are measured."""
    readme = (ROOT / "README.md").read_text("utf-8")
    models = tomllib.loads((ROOT / "weights" / "manifest.toml").read_text("utf-8"))["model"]
    words = {3: "Three", 4: "Four", 5: "Five", 6: "Six"}
    assert f"{words[len(models)]} embedded models" in readme
    parameters = next(model["parameters"] for model in models if model["role"] == "action-units")
    measured = [unit for unit in parameters["units"] if unit not in parameters["unobservable"]]
    assert f"Action Units that are measured: {', '.join(map(str, measured))};" in readme
