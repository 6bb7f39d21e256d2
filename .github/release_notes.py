"""Print the section of CHANGELOG.md for a version: `python .github/release_notes.py 0.3.0`.

The version must be that of pyproject.toml, and have a section of its own.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def notes(changelog: str, version: str) -> str:
    """Return the section of a version without its heading; empty if there is none."""
    sections = re.split(r"^## \[([^]]+)\].*$", changelog, flags=re.MULTILINE)
    return dict(zip(sections[1::2], sections[2::2], strict=True)).get(version, "").strip()


def main(version: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if project != version:
        sys.exit(f"The tag is {version}, but pyproject.toml says {project}.")
    text = notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    if not text:
        sys.exit(f"CHANGELOG.md has no section for {version}.")
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main(sys.argv[1])
