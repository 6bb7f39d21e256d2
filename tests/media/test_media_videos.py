"""Fetched videos: what is one, and what is done to it before it is sent."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import av
import pytest
from media_samples import MADE, Clip, boxes, hollow_movie
from PIL import Image

from bot.errors import MediaError
from bot.media.media_info import VideoInfo
from bot.media.remux import take_video
from bot.media.videos import probe_video

SOURCES = {
    "plain": Clip(),
    "index first": Clip(flags="+faststart"),
    "fragmented": Clip(flags="+frag_keyframe+empty_moov+default_base_moof"),
    "with sound": Clip(sound="aac"),
    "mov": Clip(kind="mov"),
    "mkv": Clip(kind="matroska", sound="libopus"),
    "silent mkv": Clip(kind="matroska"),
    "hevc": Clip(codec="libx265", tag="hvc1", options=(("x265-params", "log-level=none"),)),
}


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    return tmp_path / "source", tmp_path / "target.mp4", tmp_path / "thumbnail.jpg"


def packets(path: Path) -> list[str]:
    with av.open(path) as movie:
        return [sha256(bytes(packet)).hexdigest() for packet in movie.demux(video=0) if packet.size]


def sound_length_s(path: Path) -> float:
    with av.open(path) as movie:
        track = movie.streams.audio[0]
        assert track.codec_context.name == "aac"
        assert track.codec_context.layout.name == "stereo"
        assert track.duration is not None
        assert track.time_base is not None
        return float(track.duration * track.time_base)


@pytest.mark.parametrize("clip", SOURCES.values(), ids=SOURCES)
def test_any_source_becomes_an_mp4_with_sound_and_the_same_picture(
    clip: Clip, places: tuple[Path, Path, Path]
) -> None:
    source, target, thumbnail = places
    clip.write(source)
    facts = take_video(source, target, thumbnail, MADE)
    assert packets(target) == packets(source)
    assert replace(facts, duration_s=1.0) == replace(probe_video(target), duration_s=1.0)
    assert (facts.width, facts.height, facts.has_audio, facts.pix_fmt) == (160, 96, True, "yuv420p")
    assert facts.duration_s == pytest.approx(1.0, abs=0.05)
    assert facts.bytes == target.stat().st_size
    assert sound_length_s(target) == pytest.approx(1.0, abs=0.05)
    assert boxes(target).index("moov") < boxes(target).index("mdat")
    assert [path.name for path in sorted(target.parent.iterdir())] == [
        "source",
        "target.mp4",
        "thumbnail.jpg",
    ]


def test_the_sound_that_was_there_is_kept_as_it_was(places: tuple[Path, Path, Path]) -> None:
    source, target, thumbnail = places
    Clip(sound="aac").write(source)
    take_video(source, target, thumbnail, MADE)
    with av.open(source) as old, av.open(target) as new:
        heard, kept = (
            [bytes(packet) for packet in movie.demux(audio=0) if packet.size] for movie in (old, new)
        )
    assert heard == kept


def test_hevc_carries_the_name_that_apple_players_know(places: tuple[Path, Path, Path]) -> None:
    source, target, thumbnail = places
    SOURCES["hevc"].write(source)
    take_video(source, target, thumbnail, MADE)
    with av.open(target) as movie:
        assert movie.streams.video[0].codec_context.codec_tag == "hvc1"


def test_the_thumbnail_fits_telegram(places: tuple[Path, Path, Path]) -> None:
    source, target, thumbnail = places
    Clip(size=(720, 1280), seconds=0.5).write(source)
    take_video(source, target, thumbnail, MADE)
    with Image.open(thumbnail) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (180, 320)
    assert thumbnail.stat().st_size < 200_000


def test_probe_tells_what_a_silent_source_holds(tmp_path: Path) -> None:
    path = Clip(seconds=0.5).write(tmp_path / "silent.mp4")
    facts = probe_video(path)
    assert facts == VideoInfo(160, 96, facts.duration_s, False, "h264", "yuv420p", path.stat().st_size)
    assert facts.duration_s == pytest.approx(0.5, abs=0.03)


def test_a_full_disk_is_no_fault_of_the_video(places: tuple[Path, Path, Path]) -> None:
    source, target, thumbnail = places
    size = Clip().write(source).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, hard))
    try:
        with pytest.raises(MediaError) as caught:
            take_video(source, target, thumbnail, MADE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.code == "disk_full"
    assert list(target.parent.iterdir()) == [source]


def test_what_is_not_a_whole_video_is_refused(tmp_path: Path) -> None:
    whole = Clip(flags="+faststart").write(tmp_path / "whole.mp4").read_bytes()
    index_last = Clip().write(tmp_path / "last.mp4").read_bytes()
    sound = tmp_path / "sound.mp4"
    with av.open(Clip(sound="aac").write(tmp_path / "both.mp4")) as both, av.open(sound, "w") as alone:
        track = alone.add_stream_from_template(both.streams.audio[0])
        for packet in both.demux(audio=0):
            if packet.size:
                packet.stream = track
                alone.mux(packet)
    webm = Clip(kind="webm", codec="libvpx", options=()).write(tmp_path / "whole.webm").read_bytes()
    photo = tmp_path / "photo.jpg"
    Image.new("RGB", (64, 64)).save(photo)
    refused = {
        "empty": b"",
        "html": b"<!doctype html><html><body>502 Bad Gateway</body></html>" * 20,
        "random": bytes(range(256)) * 64,
        "cut": whole[: len(whole) * 2 // 3],
        "cut between two frames": whole[: _start_of_frame(tmp_path / "whole.mp4", 12)],
        "cut before its index": index_last[: len(index_last) // 2],
        "cut webm": webm[: len(webm) * 2 // 3],
        "sound only": sound.read_bytes(),
        "photo": photo.read_bytes(),
    }
    for name, data in refused.items():
        path = tmp_path / "refused"
        path.write_bytes(data)
        with pytest.raises(MediaError) as caught:
            probe_video(path)
        assert caught.value.code == "not_a_video", name
        with pytest.raises(MediaError):
            take_video(path, tmp_path / "target.mp4", tmp_path / "thumbnail.jpg", MADE)
        assert not (tmp_path / "target.mp4").exists()
        assert not (tmp_path / "target.mp4.part").exists()


RARE = {
    "ffv1": Clip(kind="matroska", codec="ffv1", options=()),
    "png": Clip(kind="mov", codec="png", pixels="rgb24", options=()),
    "mpeg2": Clip(codec="mpeg2video", options=()),
}


@pytest.mark.parametrize("clip", RARE.values(), ids=RARE)
def test_a_codec_that_neither_phones_nor_models_use_is_never_opened(clip: Clip, tmp_path: Path) -> None:
    path = clip.write(tmp_path / "film")
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture(local=False) as said, pytest.raises(MediaError) as caught:
            probe_video(path)
    finally:
        av.logging.set_level(None)
    assert (caught.value.code, caught.value.detail) == ("not_a_video", "no picture")
    # Nor does the library open it by itself, to learn more about the file.
    assert any("not on whitelist" in text for _, _, text in said)


def test_sound_of_a_codec_that_is_not_opened_is_left_out(tmp_path: Path) -> None:
    path = Clip(kind="matroska", sound="ac3").write(tmp_path / "film")
    assert not probe_video(path).has_audio


def test_sides_beyond_the_bound_are_refused_before_a_frame_is_decoded(tmp_path: Path) -> None:
    quick = (("preset", "ultrafast"),)
    path = Clip(seconds=1 / 24, size=(4112, 4112), options=quick).write(tmp_path / "film")
    with pytest.raises(MediaError) as caught:
        probe_video(path)
    assert (caught.value.code, caught.value.detail) == ("video_too_large", "4112 x 4112")


@pytest.mark.parametrize(("samples", "told"), [(600_000, "600000 frames"), (50_000_000, "50000000 frames")])
def test_frames_beyond_the_bound_are_refused_before_one_is_decoded(
    samples: int, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "film"
    path.write_bytes(hollow_movie(samples=samples))
    with pytest.raises(MediaError) as caught:
        probe_video(path)
    assert (caught.value.code, caught.value.detail) == ("not_a_video", told)


def test_a_length_beyond_the_bound_is_refused_before_a_frame_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(hollow_movie(samples=24, ticks=7_200_000))
    with pytest.raises(MediaError) as caught:
        probe_video(path)
    assert (caught.value.code, caught.value.detail) == ("not_a_video", "7200 s long")


def test_a_playlist_opens_nothing_else(tmp_path: Path) -> None:
    Clip().write(tmp_path / "secret.mp4")
    for text in (
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile secret.mp4\n",
    ):
        playlist = tmp_path / "list.m3u8"
        playlist.write_text(text)
        with pytest.raises(MediaError) as caught:
            probe_video(playlist)
        assert caught.value.code == "not_a_video"


MEASURE = """
import resource, sys
from pathlib import Path
from datetime import UTC, datetime
from bot.media.provenance import Provenance
from bot.media.remux import take_video
small, large, folder = map(Path, sys.argv[1:])
def peak_kb():
    made = Provenance("kling-3", datetime.now(UTC))
    take_video(large if peaks else small, folder / "target.mp4", folder / "thumbnail.jpg", made)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
peaks = []
peaks.append(peak_kb())
peaks.append(peak_kb())
print(peaks[1] - peaks[0])
"""


@pytest.mark.skipif(not hasattr(resource, "getrusage"), reason="memory is measured the POSIX way")
def test_a_45_mb_video_is_never_held_in_memory(tmp_path: Path) -> None:
    small = Clip().write(tmp_path / "small.mp4")
    large = _padded(small, tmp_path / "large.mp4", 45_000_000)
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(small), str(large), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    grown_kb = int(run.stdout)
    assert grown_kb < 10_000


@pytest.mark.skipif(sys.platform != "linux", reason="it is read from /proc")
def test_a_video_is_read_once(places: tuple[Path, Path, Path], tmp_path: Path) -> None:
    source, target, thumbnail = places
    size = 20_000_000
    _padded(Clip(seconds=1).write(tmp_path / "small"), source, size)
    # That the index comes first takes the new file once more.
    assert _bytes_read(lambda: take_video(source, target, thumbnail, MADE)) < 2.2 * size
    target.rename(source)
    assert _bytes_read(lambda: take_video(source, target, thumbnail, MADE)) < 1.2 * size
    assert target.samefile(source), "nor is it copied"


def _bytes_read(work: Callable[[], object]) -> int:
    counts = Path("/proc/self/io")

    def read() -> int:
        return int(counts.read_text().partition("rchar: ")[2].split()[0])

    before = read()
    work()
    return read() - before


def _start_of_frame(path: Path, number: int) -> int:
    with av.open(path) as movie:
        starts = sorted(packet.pos for packet in movie.demux(video=0) if packet.pos is not None)
    return starts[number]


def _padded(small: Path, large: Path, size: int) -> Path:
    """The same video with filler in each frame, as H.264 allows: a unit of type 12 that decoders skip."""
    with av.open(small) as old, av.open(large, "w", format="mp4") as new:
        picture = old.streams.video[0]
        new_picture = new.add_stream_from_template(picture, opaque=True)
        filler = b"\x0c" + b"\xff" * (size // 24) + b"\x80"
        for packet in old.demux(picture):
            if packet.size:
                padded = av.Packet(bytes(packet) + len(filler).to_bytes(4) + filler)
                padded.pts, padded.dts, padded.duration = packet.pts, packet.dts, packet.duration
                padded.time_base, padded.is_keyframe = packet.time_base, packet.is_keyframe
                padded.stream = new_picture
                new.mux(padded)
    return large
