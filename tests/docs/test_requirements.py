"""The lock: every dependency is pinned to what pyproject.toml allows, and every file by its hash."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = [one for extra in PROJECT["project"].get("optional-dependencies", {}).values() for one in extra]
RUN = [*PROJECT["project"]["dependencies"], *EXTRAS]
GROUPS = PROJECT["dependency-groups"]
LOCKS = {"run.txt": RUN, "dev.txt": [*RUN, *GROUPS["dev"]], "build.txt": GROUPS["build"]}


def pins(name: str) -> dict[str, str]:
    """What a lock pins, each entry with its hashes below it, by the package's name."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    entries = re.findall(r"^([\w.-]+)==[^\n]*(?:\n    --hash=[^\n]+)+", text, re.MULTILINE)
    versions = re.findall(r"^([\w.-]+)==([^ ;\\]+)", text, re.MULTILINE)
    assert len(entries) == len(versions), "a pin without a hash"
    return {canonicalize_name(package): version for package, version in versions}


@pytest.mark.parametrize("name", LOCKS)
def test_each_dependency_is_pinned_to_a_version_that_is_allowed(name: str) -> None:
    pinned = pins(name)
    wanted = [Requirement(text) for text in LOCKS[name]]
    wrong = [
        str(one)
        for one in wanted
        if not one.specifier.contains(pinned.get(canonicalize_name(one.name), "0"), prereleases=True)
    ]
    assert wrong == [], "run `make lock`"


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_says_where_a_package_comes_from(name: str) -> None:
    assert "://" not in (ROOT / "requirements" / name).read_text(encoding="utf-8")


def test_the_image_is_built_from_what_the_build_would_take() -> None:
    assert GROUPS["build"] == PROJECT["build-system"]["requires"]
