"""Class names use standard terms, or words that the glossary of `docs/architecture.md` explains."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOT = ROOT / "bot"
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")

STANDARD = {
    "Telegram": """
        access action admin album allow ban bot button chat draft extend forget group greeting help history
        join link menu message mode moved operator page person photo preferences press privacy reaction rights
        sender set setting settings share text update upload user video webhook file name names
cleanup daily folder report forbids aperture bounded dict streaming joiner kind for host single unstorable
""",
    "asyncio and task queues": """
        again attempt busy cancel claim context delay monotonic dispatcher event failed gone
        handler job listener loop lock log poller process queue rate limit limiter retry rejected
        refused running schedule start state status step submit succeeded task
        unavailable urgency wait worker""",
    "SQL and databases": """
        archive audit backup cache change clock connection count database entry filter index lease lite
        listing load lost maintenance migration notification pool postgres reader record row saver sq store
        stored subject table transaction usage write writer""",
    "HTTP and web pages": """
        account answer auth call chart check cli credentials days deps feature health http link metrics now
        private prompt provider proxy public remaining renderer report request response router segment server
        series session site today token
        value view watch web""",
    "media": "box frame film fit media palette planes preview run sound timed title",
    "money": "price purchase",
    "programming": """
        accepted all already app builder code command control data details display duplicate error
        estimator event fetch fetcher files finding guard illegal info isolated key label language live
        memory monitor move open plan point problem ref receiver reply rules sent shared source
        statistics stats still target trouble type unclear unknown updater""",
    "proper names": "ark dreamreel geek ai jie kou jimeng unified volcengine",
}
"""The terms that a reader knows or finds in the documentation of those systems."""


def _words(name: str) -> list[str]:
    """Return the words of a class name, lower case: `SQLiteStore` is sq, lite, store."""
    parts = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+", name)
    return [part.lower() for part in parts]


def _singular(word: str) -> set[str]:
    """Return the word and what it may be the plural of."""
    return {word, word.removesuffix("s"), word.removesuffix("es")}


def _glossary() -> set[str]:
    """Return every word that the glossary explains: what is bold, and the class names in code."""
    table = ARCHITECTURE.partition("\n## Glossary\n")[2].partition("\n## ")[0]
    rows = [row for row in table.splitlines() if row.startswith("| **")]
    terms = [term for row in rows for term in re.findall(r"\*\*([^*]+)\*\*", row)]
    names = [name for row in rows for name in re.findall(r"`([A-Z][A-Za-z]+)`", row)]
    return {
        word.lower()
        for text in (*terms, *(" ".join(_words(name)) for name in names))
        for word in re.findall(r"[A-Za-z]+", text)
    }


def _public_classes() -> Iterator[tuple[str, Path]]:
    for path in sorted(BOT.rglob("*.py")):
        if "sandbox" not in path.relative_to(BOT).parts:
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    yield node.name, path.relative_to(ROOT)


def _unexplained(name: str) -> list[str]:
    standard = {word for words in STANDARD.values() for word in words.split()}
    known = standard | _glossary()
    return [word for word in _words(name) if not _singular(word) & known]


def test_every_word_in_a_class_name_is_a_standard_term_or_in_the_glossary() -> None:
    advice = (
        "Use a standard term; or explain the word in the glossary of docs/architecture.md; or, if Telegram, "
        "asyncio, SQL or HTTP use it, add it to STANDARD in tests/docs/test_glossary.py."
    )
    problems = [
        f"{path}: class {name} uses the word “{word}”, which the glossary does not explain."
        for name, path in _public_classes()
        for word in _unexplained(name)
    ]
    assert not problems, "\n".join([*problems, advice])


@pytest.mark.parametrize("name", ["Desk", "PriceOracle", "TaskShelf"])
def test_a_private_word_is_found(name: str) -> None:
    assert _unexplained(name)


def test_the_glossary_explains_only_words_that_the_code_uses() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted(BOT.rglob("*.py"))).lower()
    assert [word for word in sorted(_glossary()) if word not in code] == []
