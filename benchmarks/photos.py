"""Photos: what making one fit costs beside Pillow alone, at 12 megapixels.

`python benchmarks/photos.py` prints a table in about a minute. Pillow alone opens the file, converts it to
RGB and saves a JPEG: it turns nothing, keeps no colours right, and its result may be larger than a provider
takes. Each figure is the median of five fresh processes, in which a small photo was read first; memory is the
most that the process ever held, the interpreter included. Only the ratios mean something.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

import pillow_heif
from PIL import Image, ImageChops, ImageFilter

from bot.media.photo.crop_preview import draw_crop
from bot.media.photo.photos import normalise_photo
from bot.request import Crop, PhotoRules

SIZE = (4032, 3024)
RUNS = 5
SIDEWAYS = 6  # how phones store a photo that was taken upright: EXIF orientation


def main() -> None:
    columns = ("file, MB", "Pillow, ms", "Pillow, MB", "fit, ms", "fit, MB", "time ratio", "memory ratio")
    print(f"A photo of {SIZE[0]} x {SIZE[1]}, made fit\n{'':16}" + "".join(f"{name:>14}" for name in columns))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "draw", folder], check=True)
        for path in sorted(Path(folder).glob("*-large.*")):
            alone, fit = _medians("alone", path), _medians("fit", path)
            ratios = [ours / theirs for ours, theirs in zip(fit, alone, strict=True)]
            _print(path, [path.stat().st_size / 1e6, *alone, *fit, *ratios])
        print("\nThe crop preview of the same\n" + f"{'':16}{'file, MB':>14}{'ms':>14}{'MB':>14}")
        for path in sorted(Path(folder).glob("*-large.*")):
            _print(path, [path.stat().st_size / 1e6, *_medians("preview", path)])


def _draw(folder: Path) -> None:
    """One photo in every format, in the quality that phones use, and a small one of each."""
    half = (SIZE[0] // 2, SIZE[1] // 2)
    light = Image.linear_gradient("L").resize(SIZE)
    detail = Image.effect_noise(half, 60).resize(SIZE).filter(ImageFilter.GaussianBlur(1))
    turns = (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_180)
    layers = [ImageChops.blend(light.transpose(turn), detail, 0.35) for turn in turns]
    large = Image.merge("RGB", layers)
    exif = Image.Exif()
    exif[0x0112] = SIDEWAYS
    pillow_heif.register_heif_opener()
    for name, picture in (("large", large), ("small", large.resize((640, 480)))):
        sideways = exif.tobytes()
        picture.save(folder / f"JPEG-{name}.jpg", "JPEG", quality=88, exif=sideways)
        picture.save(
            folder / f"JPEG, unturned-{name}.jpg", "JPEG", quality=88, comment=b"stored as it was seen"
        )
        picture.save(folder / f"PNG-{name}.png", "PNG", compress_level=1)
        picture.save(folder / f"WEBP-{name}.webp", "WEBP", quality=85, method=0, exif=sideways)
        picture.save(folder / f"HEIC-{name}.heic", "HEIF", quality=55, exif=sideways)


def _medians(work: str, path: Path) -> list[float]:
    command = [sys.executable, __file__, work, str(path)]
    runs = [
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        for _ in range(RUNS)
    ]
    return [statistics.median(float(run[column]) for run in runs) for column in range(2)]


def _measure(work: str, path: Path) -> None:
    data = path.read_bytes()
    act = {"alone": _alone, "fit": _fit, "preview": _preview}[work]
    act(path.with_stem(path.stem.replace("large", "small")).read_bytes())
    began = time.perf_counter()
    act(data)
    print(1000 * (time.perf_counter() - began), _peak_mb())


def _alone(data: bytes) -> None:
    pillow_heif.register_heif_opener()
    Image.open(BytesIO(data)).convert("RGB").save(BytesIO(), "JPEG", quality=92)


def _fit(data: bytes) -> None:
    normalise_photo(data, PhotoRules())


def _preview(data: bytes) -> None:
    draw_crop(data, Crop("16:9"))


def _peak_mb() -> float:
    """This program's alone; getrusage would count what its parent held when it was started."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    raise OSError("the peak of memory is read from /proc/self/status, as on Linux")


def _print(path: Path, figures: list[float]) -> None:
    print(f"{path.stem.removesuffix('-large'):16}" + "".join(f"{figure:14,.2f}" for figure in figures))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["draw", folder]:
            _draw(Path(folder))
        case [work, path]:
            _measure(work, Path(path))
        case _:
            main()
