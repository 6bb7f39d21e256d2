"""What unified relays sell: for each name there its limits, its fields, and what its pictures mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.request import Mode, VideoModel

_FRAMES = "frames"
_UPSAMPLE = "upsample"
_REFERENCES = re.compile(r"references([1-9])")
_RATIO = re.compile(r"[1-9]\d?:[1-9]\d?")


@dataclass(frozen=True, slots=True)
class RelayModel:
    """A model, and how a relay calls it."""

    model: VideoModel
    names: Mapping[Mode, str]
    """Its name there, by mode."""
    sizes: tuple[str, ...] = ()
    """As the relay writes them; none is sent if there are none."""
    extras: Mapping[str, object] = field(default_factory=dict)
    """Fixed fields."""

    @property
    def wire_sizes(self) -> dict[str, str]:
        """The sizes by our own resolutions."""
        return {size.lower(): size for size in self.sizes}


def jimeng(name: str, ratios: Sequence[str], sizes: Sequence[str]) -> RelayModel:
    """Return the record of Jimeng, whatever the relay calls it."""
    model = replace(
        _CAUTIOUS,
        name="unified-jimeng",
        title="Jimeng (unified relay)",
        ratios=tuple(ratios),
        # Not asked for: the relay decides, and this is what Jimeng makes.
        seconds=(5,),
    )
    return _of_sizes(RelayModel(model, dict.fromkeys(model.modes, name)), sizes)


def read_models(entries: Sequence[str], ratios: Sequence[str], sizes: Sequence[str]) -> list[RelayModel]:
    """Return the records for the names that an operator lists; `ratios` and `sizes` are Jimeng's.

    An entry may go on with parts after slashes that replace what its record has: ratios, sizes, `frames` (two
    photos are the first and the last), `references3` (up to three references), `upsample`.
    """
    found: dict[str, RelayModel] = {}
    for entry in entries:
        name, *parts = entry.split("/")
        record = _widened(_record(name, ratios, sizes), name, parts)
        known = found.get(record.model.name)
        found[record.model.name] = record if known is None else _joined(known, record)
    return list(found.values())


_CAUTIOUS = VideoModel(
    name="",
    title="",
    provider="unified_relay",
    # What two images mean no document says of most models.
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME}),
    ratios=("16:9", "9:16"),
    seconds=(5,),
    resolutions=(),
    prompt_limit=None,
    prompt_advice=None,
    photo_as="link",
    typical_s=180.0,
    # No relay names a time. Jimeng itself forgets a job after 12 hours.
    keeps_s=12 * 3600.0,
)
_GROK = replace(
    _CAUTIOUS,
    name="grok-3",
    title="Grok Video 3 (unified relay)",
    ratios=("3:2", "2:3", "1:1"),
    # Not asked for: few relays let one choose.
    seconds=(6,),
    audio_always=True,
    typical_s=90.0,
)
_VEO = replace(
    _CAUTIOUS,
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME, Mode.FIRST_LAST}),
    seconds=(8,),
    audio_always=True,
    enhance=(True, False),
)
_VEO_S = {"fast": 120.0, "pro": 240.0, "4k": 300.0}
_VEO_NAME = re.compile(
    r"veo_?(?P<version>2|3|3[._]1)(?:-(?P<grade>fast|pro))?(?P<frames>-frames)?(?P<components>-components)?"
    r"(?P<large>-4k)?"
)
_SOLD_ELSEWHERE = frozenset({"veo-3", "veo-3.1", "veo-3.1-fast"})
"""Names that another provider's models have: here they carry the account."""


def _record(name: str, ratios: Sequence[str], sizes: Sequence[str]) -> RelayModel:
    if name.startswith("jimeng"):
        return jimeng(name, ratios, sizes)
    if name == "grok-video-3":
        return _of_sizes(RelayModel(_GROK, dict.fromkeys(_GROK.modes, name)), ("720P",))
    if veo := _VEO_NAME.fullmatch(name):
        return _veo(name, veo)
    own = re.sub(r"[^a-z0-9._-]+", "-", name.lower())
    model = replace(_CAUTIOUS, name=f"unified-{own}", title=f"{name} (unified relay)")
    return RelayModel(model, dict.fromkeys(model.modes, name))


def _veo(name: str, found: re.Match[str]) -> RelayModel:
    version, grades = found["version"].replace("_", "."), [found["grade"], "4k" if found["large"] else None]
    own = "-".join(filter(None, ["veo", version, *grades, "frames" if found["frames"] else None]))
    modes = _VEO.modes
    if found["components"]:
        modes = frozenset({Mode.REFERENCES})
    elif version == "2":
        modes = frozenset({Mode.TEXT, Mode.FIRST_FRAME})
    elif found["frames"]:
        # One relay takes a single picture for this one.
        last = set() if found["grade"] == "pro" else {Mode.FIRST_LAST}
        modes = frozenset({Mode.FIRST_FRAME, *last})
    model = replace(
        _VEO,
        name=f"unified-{own}" if own in _SOLD_ELSEWHERE else own,
        title=f"{own.replace('veo', 'Veo').replace('-', ' ')} (unified relay)",
        modes=modes,
        references=3 if found["components"] else 0,
        # Nobody names a ratio for `veo2`.
        ratios=() if name == "veo2" else _VEO.ratios,
        audio_always=version != "2",
        typical_s=max([_VEO_S[grade] for grade in grades if grade] or [_VEO.typical_s]),
    )
    extras = {"enhance_prompt": True, "enable_upsample": False}
    return RelayModel(model, dict.fromkeys(modes, name), extras=extras)


def _widened(record: RelayModel, name: str, parts: Sequence[str]) -> RelayModel:
    ratios = tuple(part for part in parts if _RATIO.fullmatch(part))
    references = max((int(found[1]) for part in parts if (found := _REFERENCES.fullmatch(part))), default=0)
    words = {_FRAMES, _UPSAMPLE, *ratios}
    sizes = [part for part in parts if part not in words and not _REFERENCES.fullmatch(part)]
    added = ({Mode.FIRST_LAST} if _FRAMES in parts else set()) | ({Mode.REFERENCES} if references else set())
    model = replace(
        record.model,
        ratios=ratios or record.model.ratios,
        modes=record.model.modes | added,
        references=references or record.model.references,
    )
    extras = {**record.extras, "enable_upsample": True} if _UPSAMPLE in parts else record.extras
    names = {**record.names, **dict.fromkeys(added, name)}
    widened = replace(record, model=model, names=names, extras=extras)
    return _of_sizes(widened, sizes) if sizes else widened


def _joined(first: RelayModel, second: RelayModel) -> RelayModel:
    """Return one model of two names that are modes of the same, such as `veo3.1` and `veo3.1-components`."""
    model = replace(
        first.model,
        modes=first.model.modes | second.model.modes,
        references=max(first.model.references, second.model.references),
    )
    return replace(first, model=model, names={**second.names, **first.names})


def _of_sizes(record: RelayModel, sizes: Sequence[str]) -> RelayModel:
    resolutions = tuple(dict.fromkeys(size.lower() for size in sizes))
    return replace(record, model=replace(record.model, resolutions=resolutions), sizes=tuple(sizes))
