"""A tag publishes what it says: the version of the package, with the notes that the changelog has for it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
RELEASE = YAML(typ="safe").load(ROOT / ".github/workflows/release.yml")


def notes(version: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / ".github/release_notes.py"), version]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_notes_of_a_release_are_its_section_of_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    done = notes(VERSION)
    assert done.returncode == 0, done.stderr
    section = changelog.partition(f"## [{VERSION}]")[2].partition("\n## [")[0]
    assert done.stdout.strip() == section.partition("\n")[2].strip()


def test_a_tag_that_is_not_the_version_publishes_nothing() -> None:
    done = notes("9.9.9")
    assert done.returncode == 1
    assert "pyproject.toml says" in done.stderr
    assert all(job == "build" or RELEASE["jobs"][job]["needs"] for job in RELEASE["jobs"])


def test_the_release_publishes_under_the_names_of_the_guide() -> None:
    guide = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
    steps = RELEASE["jobs"]["image"]["steps"]
    (names,) = [step["with"] for step in steps if "metadata-action" in step.get("uses", "")]
    assert names["images"] == "ghcr.io/${{ github.repository_owner }}/dreamreel"
    assert "`ghcr.io/OWNER/dreamreel`" in guide
    (push,) = [step["with"] for step in steps if "build-push-action" in step.get("uses", "")]
    assert push["platforms"] == "linux/amd64,linux/arm64"
    assert push["sbom"] is True
    assert push["provenance"] == "mode=max"


def test_what_the_workflows_use_is_pinned_by_its_commit() -> None:
    files = sorted((ROOT / ".github/workflows").glob("*.yml"))
    used = [one for path in files for one in re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))]
    assert len(used) > 10
    assert [one for one in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []
    assert len({tuple(re.split("[@ ]", one)[:2]) for one in used}) == len({one.split("@")[0] for one in used})


def test_what_the_image_and_compose_stand_on_is_pinned_by_digest_but_for_one_that_the_guide_names() -> None:
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    stages = set(re.findall(r" AS (\w+)$", image, re.MULTILINE))
    services = YAML(typ="safe").load(ROOT / "compose.yaml")["services"].values()
    used = {one for one in re.findall(r"^FROM (\S+)", image, re.MULTILINE) if one not in stages}
    used |= {one["image"] for one in services if "$" not in one["image"]}
    loose = {one for one in used if not re.search(r":[\w.-]+@sha256:[0-9a-f]{64}$", one)}
    assert loose == {"aiogram/telegram-bot-api:10.3"}
    guide = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
    assert all(f"docker buildx imagetools inspect {one}" in guide for one in loose)
