"""Links to photos: only this bot can make them, they expire, and their key is made once."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from fakes import NOW
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.errors import SettingsError
from bot.photo_links import PhotoLinks, secret_key

LATER = NOW + timedelta(hours=12)
LINKS = PhotoLinks("https://bot.example.org", "a secret of this bot")


def path_of(link: str) -> str:
    return link.removeprefix("https://bot.example.org")


def a_link(index: int = 0, content_type: str = "image/jpeg") -> str:
    return LINKS.make("c0ffee", index, content_type, LATER)


def test_a_link_names_its_photo_and_its_kind_under_the_public_address() -> None:
    assert a_link().startswith(f"https://bot.example.org/photos/c0ffee/0/{int(LATER.timestamp())}/")
    assert a_link().endswith(".jpg")
    assert a_link(content_type="image/png").endswith(".png")


def test_a_link_is_read_back_until_it_expires() -> None:
    path = path_of(a_link(index=1))
    assert LINKS.read(path, NOW) == ("c0ffee", 1)
    assert LINKS.read(path, LATER - timedelta(seconds=1)) == ("c0ffee", 1)
    assert LINKS.read(path, LATER) is None


@given(at=st.integers(0, 200), character=st.sampled_from("abzAZ019-_./%"))
def test_a_link_with_one_character_changed_is_no_link(at: int, character: str) -> None:
    path = path_of(a_link())
    at %= len(path)
    changed = path[:at] + character + path[at + 1 :]
    assert changed == path or LINKS.read(changed, NOW) is None


@pytest.mark.parametrize(
    "changed",
    [
        ("/c0ffee/", "/c0ffef/"),  # another task
        ("/0/", "/1/"),  # another photo
        ("/0/", "/00/"),  # the same one, written otherwise
        ("/0/", "/٠/"),
        (str(int(LATER.timestamp())), str(int(LATER.timestamp()) + 3600)),  # a longer life
        (".jpg", ".png"),
        (".jpg", ".jpg/"),
        (".jpg", ".jpg\n"),
        (".jpg", "=.jpg"),
        ("/photos/", "//photos/"),
        ("/photos/", "/bot/photos/"),
    ],
)
def test_no_part_of_a_link_can_be_exchanged(changed: tuple[str, str]) -> None:
    path = path_of(a_link())
    assert LINKS.read(path.replace(*changed, 1), NOW) is None


@given(path=st.text(max_size=200))
def test_whatever_is_asked_for_reading_it_never_fails(path: str) -> None:
    assert LINKS.read(path, NOW) is None
    assert LINKS.read("/photos/c0ffee/0/" + path, NOW) is None
    assert LINKS.read(f"/photos/c0ffee/0/1/{(path + 'é' * 43)[:43]}.jpg", NOW) is None


def test_another_secret_makes_other_links() -> None:
    other = PhotoLinks("https://bot.example.org", "a secret of another bot")
    assert other.read(path_of(a_link()), NOW) is None


@pytest.mark.parametrize(
    "address", ["https://example.org/bot", "https://example.org/bot/", "https://e.org/photos"]
)
def test_a_link_below_a_path_is_read_whether_the_proxy_leaves_the_path_or_takes_it_away(address: str) -> None:
    links = PhotoLinks(address, "a secret")
    link = links.make("c0ffee", 0, "image/jpeg", LATER)
    kept = link[link.index("/", len("https://")) :]
    assert kept.startswith(f"{links.prefix}/photos/c0ffee/")
    assert links.read(kept, NOW) == ("c0ffee", 0)
    assert links.read(kept.removeprefix(links.prefix), NOW) == ("c0ffee", 0)


def test_a_task_whose_id_could_not_be_read_back_gets_no_link() -> None:
    with pytest.raises(ValueError, match="no link"):
        LINKS.make("../healthz", 0, "image/jpeg", LATER)


def test_the_setting_is_the_key_and_nothing_is_kept(tmp_path: Path) -> None:
    assert secret_key(SecretStr("from the settings"), tmp_path) == "from the settings"
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    key = secret_key(None, folder)
    assert len(key) >= 32
    assert secret_key(None, folder) == key
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret_key(None, tmp_path / "elsewhere") != key


def test_starts_at_the_same_time_come_away_with_the_same_key(tmp_path: Path) -> None:
    many = 8
    with ThreadPoolExecutor(many) as threads:
        for round_number in range(30):
            folder, gate = tmp_path / str(round_number), Barrier(many)

            def start(folder: Path = folder, gate: Barrier = gate) -> str:
                gate.wait()
                return secret_key(None, folder)

            keys = {start.result() for start in [threads.submit(start) for _ in range(many)]}
            assert len(keys) == 1
            assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"too short", b"\xff\xfe\x00" * 40])
def test_a_damaged_key_is_one_sentence_and_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    secret_key(None, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"The key .*secret\.key"):
        secret_key(None, tmp_path)
    assert file.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_one_sentence_that_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="set SECRET_KEY"):
        secret_key(None, tmp_path / "file" / "data")
