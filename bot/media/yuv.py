"""Pictures as a video codec takes them: a plane of luma and two of chroma."""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

Size = tuple[int, int]
RGB = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Planes:
    """One picture in BT.709, limited range: `blue` and `red` are colour differences around 128.

    In a finished frame the two have half the width and half the height of `luma` (4:2:0).
    """

    luma: Image.Image
    blue: Image.Image
    red: Image.Image

    def all(self) -> tuple[Image.Image, Image.Image, Image.Image]:
        return self.luma, self.blue, self.red


def half(size: Size) -> Size:
    return size[0] // 2, size[1] // 2


def colour_of(rgb: RGB) -> tuple[float, float, float]:
    """Return the three plane values of one colour. Coefficients: ITU-R BT.709."""
    red, green, blue = (part / 255 for part in rgb)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return (16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748)


def planes_of(picture: Image.Image) -> Planes:
    """Convert an RGB picture of even sides to planes."""
    frame = av.VideoFrame.from_bytes(picture.tobytes("raw", "RGBX"), *picture.size, format="rgba").reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
    )
    luma, blue, red = (plane_picture(plane, "L") for plane in frame.planes)
    return Planes(luma, blue, red)


def picture_of(frame: av.VideoFrame) -> Image.Image:
    """Convert a decoded frame to an RGB picture."""
    return plane_picture(frame.reformat(format="rgb24").planes[0], "RGB")


def plane_picture(plane: VideoPlane, mode: str) -> Image.Image:
    # Rows in a frame's memory may be longer than the picture is wide.
    return Image.frombytes(mode, (plane.width, plane.height), bytes(plane), "raw", mode, plane.line_size)
