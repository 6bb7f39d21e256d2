"""The recipes of CONTRIBUTING.md name the right files: what exists already stands in each of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PLACE = re.compile(r"`((?:bot|tests|docs)/[\w./<>-]+|README\.md|\.env\.example)`")

# A recipe, something that was added by it, and places that do not name it.
EXAMPLES = [
    ("Add a provider", "jiekou", {"README.md"}),
    ("Add a model", "veo-3.1-fast", set[str]()),
    ("Add a command", "privacy", set[str]()),
    ("Add a button", "original", {"bot/chat/features/__init__.py"}),
    ("Add a per-chat setting", "quiet", {"docs/guide.md", "bot/chat/chat_preferences.py"}),
    ("Add an operator's setting", "submits_per_hour", {"bot/app.py"}),
    ("Add a failure code", "video_refused", {"docs/guide.md", "bot/worker/"}),
    (
        "Add a language",
        "zh-hant",
        {
            "bot/text/<code>.toml",
            "bot/text/en.toml",
            "bot/text/plurals.py",
            "tests/unit/test_text_plurals.py",
        },
    ),
]


def _places(recipe: str) -> list[str]:
    """Return the files and folders that the numbered steps of a recipe name, in order."""
    section = CONTRIBUTING.partition(f"\n### {recipe}\n")[2].partition("\n##")[0]
    steps = re.findall(r"^\d\. .+?(?=^\d\. |\n\n|\Z)", section, re.MULTILINE | re.DOTALL)
    return [place for step in steps for place in PLACE.findall(step)]


def _has(path: Path, name: str) -> bool:
    """Return True if the file names it. In a folder one file is enough, among texts every one must."""
    if path.is_file():
        return name in path.read_text(encoding="utf-8").lower()
    files = [file for file in path.rglob("*") if file.suffix in {".py", ".toml", ".json"}]
    texts = [file for file in files if file.suffix == ".toml"]
    return all(_has(file, name) for file in texts) if texts else any(_has(file, name) for file in files)


@pytest.mark.parametrize(("recipe", "name", "silent"), EXAMPLES, ids=[recipe for recipe, _, _ in EXAMPLES])
def test_every_place_that_a_recipe_names_has_an_earlier_example(
    recipe: str, name: str, silent: set[str]
) -> None:
    places = _places(recipe)
    assert len(places) >= 4
    assert silent <= set(places)
    missing = [place for place in places if place not in silent and not _has(ROOT / place, name)]
    assert not missing, f"{name} is not in {missing}: the recipe “{recipe}” names a wrong place"


def test_a_setting_is_read_where_no_recipe_can_name_it() -> None:
    named = {ROOT / place for place in _places("Add an operator's setting")}
    users = [path for path in (ROOT / "bot").rglob("*.py") if path not in named]
    assert any(".submits_per_hour" in path.read_text(encoding="utf-8") for path in users)
