"""Mark video files as made by AI, in a form that machines read.

The mark is an XMP packet in a box of its own at the end of an MP4: nothing before it moves, and players skip
what they do not know. Adobe XMP, part 3, 1.2.7 (the box); IPTC Video Metadata Hub (the properties).
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from bot.media.boxes import read_boxes

_XMP_BOX = UUID("be7acfcb-97a9-42e8-9c71-999491e3afac").bytes
_C2PA_BOX = UUID("d8fec3d6-1b0e-483c-9297-5828877ec481").bytes  # C2PA specification 2.2, A.5.1
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_MOST_BYTES = 1_000_000  # of another's packet


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a video came to be. No words of the request, and no names of people."""

    model: str
    created_at: datetime
    is_trained: bool = True
    """False if a program drew it that learnt from nothing."""


def mark_video(path: Path, provenance: Provenance) -> None:
    """Add the mark at the end of an MP4, unless the file carries one already."""
    if is_marked(path):
        return
    with path.open("ab") as file:
        file.write(_box(provenance))


def is_marked(path: Path) -> bool:
    """Return True if an MP4 says where it came from: signed (C2PA), or by a source type in its XMP."""
    with path.open("rb") as file:
        for box in read_boxes(file, 0, file.seek(0, 2)):
            file.seek(box.body)
            if box.kind == b"jumb" or (box.kind == b"uuid" and (name := file.read(16)) == _C2PA_BOX):
                return True
            if box.kind == b"uuid" and name == _XMP_BOX:
                packet = file.read(min(box.end - box.body - 16, _MOST_BYTES))
                if _SOURCE_TYPE.encode() in packet:
                    return True
    return False


def _box(provenance: Provenance) -> bytes:
    kind = "trainedAlgorithmicMedia" if provenance.is_trained else "algorithmicMedia"
    model = f'"{html.escape(provenance.model)}"'
    packet = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmp:CreatorTool={model}
    xmp:CreateDate="{provenance.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    Iptc4xmpExt:AISystemUsed={model}
    Iptc4xmpExt:DigitalSourceType="{_SOURCE_TYPE}{kind}"/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>""".encode()
    body = b"uuid" + _XMP_BOX + packet
    return (len(body) + 4).to_bytes(4) + body
