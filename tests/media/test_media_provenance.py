"""Where a video came from is written into every file that is sent, and what a provider signed stays whole."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID
from xml.etree import ElementTree

import av
import pytest
from browsing import a_browser, needs_browser
from media_samples import MADE, Clip, box, boxes

from bot.media.join import join_videos, shrink_video
from bot.media.provenance import is_marked
from bot.media.remux import take_video

C2PA = box(b"uuid", UUID("d8fec3d6-1b0e-483c-9297-5828877ec481").bytes, bytes(4), b"manifest\0", bytes(300))
XMP = UUID("be7acfcb-97a9-42e8-9c71-999491e3afac").bytes
SOURCE_TYPE = b"http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
READY = Clip(sound="aac", flags="+faststart")
"""Plays as it is."""


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    return tmp_path / "source.mp4", tmp_path / "target.mp4", tmp_path / "thumbnail.jpg"


def mark_of(path: Path) -> dict[str, str]:
    """What another program reads: FFmpeg finds the packet, an XML parser the properties."""
    with av.open(path, options={"export_xmp": "1"}) as movie:
        packet = movie.metadata.get("xmp")
    if packet is None:
        return {}
    (description,) = ElementTree.fromstring(packet).iter(
        "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"
    )
    return {name.rpartition("}")[2]: value for name, value in description.attrib.items()}


WORK: dict[str, Callable[[Path, Path, Path], object]] = {
    "as it is": lambda source, target, thumbnail: take_video(READY.write(source), target, thumbnail, MADE),
    "index last": lambda source, target, thumbnail: take_video(
        Clip(sound="aac").write(source), target, thumbnail, MADE
    ),
    "silent": lambda source, target, thumbnail: take_video(
        Clip(flags="+faststart").write(source), target, thumbnail, MADE
    ),
    "other sound": lambda source, target, thumbnail: take_video(
        Clip(kind="matroska", sound="libopus").write(source), target, thumbnail, MADE
    ),
    "made smaller": lambda source, target, _: shrink_video(READY.write(source), target, 20_000, MADE),
    "joined": lambda source, target, thumbnail: (
        join_videos(READY.write(source), source, target.with_name("both")),
        take_video(target.with_name("both"), target, thumbnail, MADE),
    ),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_every_file_says_that_and_by_what_it_was_made(
    work: Callable[[Path, Path, Path], object], places: tuple[Path, Path, Path]
) -> None:
    source, target, thumbnail = places
    work(source, target, thumbnail)
    assert mark_of(target) == {
        "about": "",
        "CreatorTool": "kling-3",
        "AISystemUsed": "kling-3",
        "CreateDate": "2026-03-01T12:30:00Z",
        "DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    }
    kinds = boxes(target)
    assert kinds.index("moov") < kinds.index("mdat")
    assert kinds[-1:] == ["uuid"]
    assert kinds.count("uuid") == 1
    with av.open(target) as movie:
        assert len(list(movie.decode(video=0))) >= 24


PLAY = """url => new Promise((resolve, reject) => {
    const video = document.createElement("video");
    video.muted = true;
    video.onerror = () => reject(new Error(video.error.message));
    video.onended = () => resolve([video.videoWidth, video.videoHeight]);
    video.src = url;
    video.play();
})"""


@needs_browser
async def test_a_browser_plays_what_is_marked_to_its_end(places: tuple[Path, Path, Path]) -> None:
    source, target, thumbnail = places
    async with a_browser() as browser:
        page = await browser.new_page()
        for work in WORK.values():
            work(source, target, thumbnail)
            url = "data:video/mp4;base64," + b64encode(target.read_bytes()).decode()
            assert await page.evaluate(PLAY, url) == [160, 96]


def test_what_a_program_drew_is_not_called_the_work_of_a_trained_model(
    places: tuple[Path, Path, Path],
) -> None:
    source, target, thumbnail = places
    odd = replace(MADE, model='a "b" <c> & d', is_trained=False)
    take_video(READY.write(source), target, thumbnail, odd)
    mark = mark_of(target)
    assert mark["DigitalSourceType"].endswith("/algorithmicMedia")
    assert mark["CreatorTool"] == odd.model


def test_a_file_that_plays_as_it_is_only_grows_by_its_mark(places: tuple[Path, Path, Path]) -> None:
    source, target, thumbnail = places
    before = READY.write(source).read_bytes()
    facts = take_video(source, target, thumbnail, MADE)
    assert target.read_bytes().startswith(before)
    assert facts.bytes == target.stat().st_size < len(before) + 2000


@pytest.mark.parametrize(
    "mark", [C2PA, box(b"uuid", XMP, b"<x:xmpmeta>", SOURCE_TYPE)], ids=["signed", "source type"]
)
@pytest.mark.parametrize("where", ["first", "last"])
def test_a_file_with_a_mark_that_needs_no_work_goes_out_byte_for_byte(
    mark: bytes, where: str, places: tuple[Path, Path, Path]
) -> None:
    source, target, thumbnail = places
    data = READY.write(source).read_bytes()
    source.write_bytes(data + mark if where == "last" else with_box_after_ftyp(data, mark))
    before = source.read_bytes()
    facts = take_video(source, target, thumbnail, MADE)
    assert not facts.needs_encoding
    assert target.read_bytes() == before


def test_a_signed_file_that_must_be_rewritten_gets_a_mark_of_ours(places: tuple[Path, Path, Path]) -> None:
    source, target, thumbnail = places
    source.write_bytes(Clip().write(source).read_bytes() + C2PA)
    take_video(source, target, thumbnail, MADE)
    assert mark_of(target)["AISystemUsed"] == "kling-3"


def test_xmp_that_says_nothing_of_the_source_is_no_mark(tmp_path: Path) -> None:
    path = READY.write(tmp_path / "film.mp4")
    path.write_bytes(path.read_bytes() + box(b"uuid", XMP, b"<x:xmpmeta/>"))
    assert not is_marked(path)


UNFIT = {
    "index last": Clip(sound="aac"),
    "fragmented": Clip(sound="aac", flags="+frag_keyframe+empty_moov+default_base_moof"),
    "mov": Clip(kind="mov", sound="aac", flags="+faststart"),
}


@pytest.mark.parametrize("clip", UNFIT.values(), ids=UNFIT)
def test_other_forms_are_rewritten_so_that_they_play_while_they_load(
    clip: Clip, places: tuple[Path, Path, Path]
) -> None:
    source, target, thumbnail = places
    take_video(clip.write(source), target, thumbnail, MADE)
    assert not target.samefile(source)
    kinds = boxes(target)
    assert kinds[0] == "ftyp"
    assert kinds.index("moov") < kinds.index("mdat")
    assert "moof" not in kinds


@pytest.mark.parametrize("tail", [b"\0\0\0\0free", b"garbage"], ids=["open box", "no box"])
def test_nothing_is_added_to_a_file_whose_end_is_unclear(
    tail: bytes, places: tuple[Path, Path, Path]
) -> None:
    source, target, thumbnail = places
    source.write_bytes(READY.write(source).read_bytes() + tail)
    take_video(source, target, thumbnail, MADE)
    assert not target.samefile(source)
    assert mark_of(target)["AISystemUsed"] == "kling-3"


def with_box_after_ftyp(data: bytes, more: bytes) -> bytes:
    """The same MP4 with another box in front, and what it says of positions moved along."""
    start = int.from_bytes(data[:4])
    changed = bytearray(data[:start] + more + data[start:])
    at = changed.find(b"stco")
    while at >= 0:
        for entry in range(at + 12, at + 12 + 4 * int.from_bytes(changed[at + 8 : at + 12]), 4):
            offset = int.from_bytes(changed[entry : entry + 4]) + len(more)
            changed[entry : entry + 4] = offset.to_bytes(4)
        at = changed.find(b"stco", at + 4)
    return bytes(changed)
