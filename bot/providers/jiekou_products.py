"""What JieKou AI sells: for each product its limits, its paths, and the fields that its requests have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.request import Exclusion, Mode, PhotoRules, VideoModel

Pictures = Callable[[Sequence[str]], dict[str, object]]
"""Puts pictures, each a link or base64, into the fields of a request."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a product is asked in one mode."""

    path: str
    """What follows `/v3/async/`."""
    pictures: Pictures = lambda _: {}
    extras: Mapping[str, object] = field(default_factory=dict)
    """Fixed fields, in this mode alone."""


@dataclass(frozen=True, slots=True)
class Product:
    """A model and how JieKou calls it."""

    model: VideoModel
    forms: Mapping[Mode, Form]
    fields: Mapping[str, str]
    """The name there of each option of `VideoRequest` that it takes."""
    values: Mapping[str, Callable[[object], object]] = field(default_factory=dict)
    """How options are written there, if not as they are."""
    extras: Mapping[str, object] = field(default_factory=dict)
    """Fixed fields, and what is sent while an option is left open."""
    nest: Callable[[dict[str, object]], dict[str, object]] = lambda body: body
    """Makes the body of the flat fields."""
    data_uri: bool = True
    """Whether a picture's bytes are sent as `data:image/…`; else as bare base64."""


def frames(*names: str) -> Pictures:
    """Put the first picture in the first field, the last one in the second."""
    return lambda pictures: dict(zip(names, pictures, strict=False))


def listed(name: str) -> Pictures:
    """Put all pictures in one list."""
    return lambda pictures: {name: list(pictures)}


def _upper(value: object) -> object:
    return str(value).upper()


def _by_mode(words: Form, photo: Form, references: Form | None = None) -> dict[Mode, Form]:
    """Return the forms of a product; its `VideoModel` says which of the modes it has."""
    forms = {Mode.TEXT: words, Mode.FIRST_FRAME: photo, Mode.FIRST_LAST: photo}
    return forms if references is None else {**forms, Mode.REFERENCES: references}


# --- Veo

_VEO_3 = VideoModel(
    name="veo-3",
    title="Veo 3.0 Preview",
    provider="jiekou",
    company="JieKou AI (Google Veo)",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME}),
    ratios=("16:9", "9:16"),
    seconds=(8, 4, 6),
    resolutions=("720p", "1080p"),
    prompt_limit=None,
    prompt_advice=None,
    ratio_with_photo=True,
    # The default `photo_rules` stay, as a caution: JieKou names only JPEG, PNG and 20 MB, and that for 3.1.
    seed_max=2**32 - 1,
    audio=True,
    negative_prompt=True,
    # `allow_all` is for accounts that Google has put on a list: the operator says so.
    people=("allow_adult", "dont_allow"),
    enhance=(True, False),
    count=4,
    typical_s=180.0,
    # JieKou names no time. It calls a job lost after half an hour; four times that is waited for.
    keeps_s=2 * 3600.0,
)
_VEO_3_1 = replace(
    _VEO_3,
    name="veo-3.1",
    title="Veo 3.1",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME, Mode.FIRST_LAST, Mode.REFERENCES}),
    references=3,
    exceptions=(Exclusion(modes=frozenset({Mode.REFERENCES}), seconds=frozenset({4, 6})),),
    enhance=(True,),
)
_VEO_3_1_FAST = replace(
    _VEO_3_1,
    name="veo-3.1-fast",
    title="Veo 3.1 Fast",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME, Mode.FIRST_LAST}),
    references=0,
    exceptions=(),
    typical_s=120.0,
)
_VEO_FIELDS = {
    "ratio": "aspect_ratio",
    "seconds": "duration_seconds",
    "resolution": "resolution",
    "enhance": "enhance_prompt",
    "negative_prompt": "negative_prompt",
    "people": "person_generation",
    "seed": "seed",
    "audio": "generate_audio",
    "count": "sample_count",
}


def _veo_3_picture(pictures: Sequence[str]) -> dict[str, object]:
    (picture,) = pictures
    return {"image_url" if picture.startswith(("http://", "https://")) else "image_base64": picture}


def _assets(pictures: Sequence[str]) -> dict[str, object]:
    return {"reference_images": [{"image": picture, "reference_type": "asset"} for picture in pictures]}


def _veo(model: VideoModel, path: str, pictures: Pictures) -> Product:
    words, photo = Form(f"{path}-text2video"), Form(f"{path}-img2video", pictures)
    forms = _by_mode(words, photo, replace(photo, pictures=_assets))
    # Bare base64: whether a `data:` prefix is taken is not documented. `sample_count` is required, and more
    # than one video costs more than one.
    return Product(model, forms, _VEO_FIELDS, extras={"sample_count": 1}, data_uri=False)


# --- Seedance

_SEEDANCE = VideoModel(
    name="seedance-2.0",
    takes_people=False,
    title="Seedance 2.0",
    provider="jiekou",
    company="JieKou AI (ByteDance Seedance)",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME, Mode.FIRST_LAST, Mode.REFERENCES}),
    ratios=("16:9", "4:3", "1:1", "3:4", "9:16", "21:9"),
    seconds=(5, 4, *range(6, 16)),
    resolutions=("720p", "480p", "1080p"),
    prompt_limit=None,
    prompt_advice=500,
    # 30 MB are allowed. Nine pictures travel in one call, and more bytes show nothing more.
    photo_rules=PhotoRules(max_bytes=2_500_000, min_side=300, max_long_to_short=2.5),
    references=9,
    seed_max=2**32 - 1,
    audio=True,
    typical_s=300.0,
    keeps_s=2 * 3600.0,
)
_SEEDANCE_FAST = replace(
    _SEEDANCE,
    name="seedance-2.0-fast",
    title="Seedance 2.0 Fast",
    resolutions=("720p", "480p"),
    typical_s=150.0,
)


def _seedance(model: VideoModel, *, fast: bool) -> Product:
    words = Form("seedance-2.0")
    photo = replace(words, pictures=frames("image", "last_image"))
    references = replace(words, pictures=listed("reference_images"))
    fields = {
        "ratio": "ratio",
        "seconds": "duration",
        "resolution": "resolution",
        "audio": "generate_audio",
        "seed": "seed",
    }
    extras = {"fast": fast, "ratio": "adaptive", "watermark": False}
    return Product(model, _by_mode(words, photo, references), fields, extras=extras)


# --- Kling

_KLING_PHOTO = PhotoRules(min_side=300, max_long_to_short=2.5)
_KLING_FIELDS = {
    "ratio": "aspect_ratio",
    "seconds": "duration",
    "audio": "sound",
    "negative_prompt": "negative_prompt",
    "guidance": "cfg_scale",
}
_KLING_3 = VideoModel(
    name="kling-3.0",
    title="Kling 3.0",
    provider="jiekou",
    company="JieKou AI (Kuaishou Kling)",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME, Mode.FIRST_LAST}),
    ratios=("16:9", "9:16", "1:1"),
    seconds=(5, 3, 4, *range(6, 16)),
    resolutions=("720p",),
    prompt_limit=2500,
    prompt_advice=None,
    photo_rules=_KLING_PHOTO,
    audio=True,
    negative_prompt=True,
    negative_limit=2500,
    guidance=True,
    typical_s=180.0,
    keeps_s=2 * 3600.0,
)
_KLING_3_PRO = replace(
    _KLING_3, name="kling-3.0-pro", title="Kling 3.0 Pro", resolutions=("1080p",), typical_s=240.0
)
_KLING_2_6 = replace(
    _KLING_3_PRO,
    name="kling-2.6",
    title="Kling 2.6 Pro",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME}),
    seconds=(5, 10),
    typical_s=180.0,
)
_KLING_2_5 = replace(_KLING_2_6, name="kling-2.5", title="Kling 2.5 Turbo", audio=False, typical_s=150.0)
_KLING_O1 = replace(
    _KLING_3,
    name="kling-o1",
    title="Kling O1",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME, Mode.FIRST_LAST, Mode.REFERENCES}),
    seconds=(5, 3, 4, *range(6, 11)),
    exceptions=(
        Exclusion(
            modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME, Mode.FIRST_LAST}),
            seconds=frozenset({3, 4, *range(6, 10)}),
        ),
    ),
    references=7,
    ratio_with_photo=True,
    audio=False,
    negative_prompt=False,
    negative_limit=None,
    guidance=False,
)


def _kling(model: VideoModel, path: str) -> Product:
    forms = _by_mode(Form(f"{path}-t2v"), Form(f"{path}-i2v", frames("image", "end_image")))
    return Product(model, forms, _KLING_FIELDS)


_KLING_O1_FORMS = _by_mode(
    Form("kling-o1-t2v"),
    Form("kling-o1-i2v", frames("image", "last_image")),
    Form("kling-o1-ref2v", listed("images"), {"keep_original_sound": False}),
)


# --- Hailuo

_HAILUO = VideoModel(
    name="hailuo-2.3",
    title="Hailuo 2.3",
    provider="jiekou",
    company="JieKou AI (MiniMax Hailuo)",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME}),
    ratios=(),
    seconds=(6, 10),
    resolutions=("768p", "1080p"),
    exceptions=(Exclusion(seconds=frozenset({10}), resolutions=frozenset({"1080p"})),),
    prompt_limit=2000,
    prompt_advice=None,
    enhance=(True, False),
    typical_s=180.0,
    keeps_s=2 * 3600.0,
)
_HAILUO_FAST = replace(
    _HAILUO,
    name="hailuo-2.3-fast",
    title="Hailuo 2.3 Fast",
    modes=frozenset({Mode.FIRST_FRAME}),
    typical_s=90.0,
)
_HAILUO_FIELDS = {
    "seconds": "duration",
    "resolution": "resolution",
    "enhance": "enable_prompt_expansion",
}
_HAILUO_FORMS = _by_mode(Form("minimax-hailuo-2.3-t2v"), Form("minimax-hailuo-2.3-i2v", frames("image")))
_HAILUO_FAST_FORMS = {Mode.FIRST_FRAME: Form("minimax-hailuo-2.3-fast-i2v", frames("image"))}


# --- Wan

_WAN = VideoModel(
    name="wan-2.6",
    title="Wan 2.6",
    provider="jiekou",
    company="JieKou AI (Alibaba Wan)",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME}),
    ratios=("16:9", "9:16", "1:1", "4:3", "3:4"),
    seconds=(5, 10, 15),
    resolutions=("1080p", "720p"),
    # Longer words are cut without a word.
    prompt_limit=2000,
    prompt_advice=None,
    photo_rules=PhotoRules(min_side=360, max_side=2000),
    seed_max=2**31 - 1,
    audio=True,
    negative_prompt=True,
    negative_limit=500,
    enhance=(True, False),
    several_shots=True,
    typical_s=240.0,
    keeps_s=2 * 3600.0,
)
_WAN_FIELDS = {
    "ratio": "ratio",
    "seconds": "duration",
    "resolution": "resolution",
    "audio": "audio",
    "negative_prompt": "negative_prompt",
    "enhance": "prompt_extend",
    "seed": "seed",
    "several_shots": "shot_type",
}
_WAN_SIZES = {
    ("720p", "16:9"): "1280*720",
    ("720p", "9:16"): "720*1280",
    ("720p", "1:1"): "960*960",
    ("720p", "4:3"): "1088*832",
    ("720p", "3:4"): "832*1088",
    ("1080p", "16:9"): "1920*1080",
    ("1080p", "9:16"): "1080*1920",
    ("1080p", "1:1"): "1440*1440",
    ("1080p", "4:3"): "1632*1248",
    ("1080p", "3:4"): "1248*1632",
}
_WAN_INPUT = frozenset({"prompt", "negative_prompt", "img_url"})


def _wan_body(fields: dict[str, object]) -> dict[str, object]:
    """Put words and pictures in `input`, the rest in `parameters`. Without a picture `size` is the shape
    too."""
    given = {name: value for name, value in fields.items() if name in _WAN_INPUT}
    rest = {name: value for name, value in fields.items() if name not in {*_WAN_INPUT, "ratio"}}
    resolution = str(rest.pop("resolution", "1080p"))
    if "img_url" in given:
        rest["resolution"] = resolution.upper()
    else:
        rest["size"] = _WAN_SIZES[resolution, str(fields.get("ratio", "16:9"))]
    return {"input": given, "parameters": rest}


# --- Grok and Vidu

_GROK = VideoModel(
    name="grok",
    title="Grok Imagine",
    provider="jiekou",
    company="JieKou AI (xAI Grok)",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME}),
    ratios=("16:9", "1:1", "9:16"),
    # An older page says 1 to 15.
    seconds=(6, 7, 8, 9, 10),
    resolutions=("720p", "480p"),
    prompt_limit=4096,
    prompt_advice=None,
    audio_always=True,
    typical_s=76.0,  # measured by a user of a sister site, for 6 s
    keeps_s=2 * 3600.0,
)
_PLAIN_FIELDS = {"ratio": "aspect_ratio", "seconds": "duration", "resolution": "resolution"}
_VIDU = VideoModel(
    name="vidu-q3",
    title="Vidu Q3 Pro",
    provider="jiekou",
    company="JieKou AI (Shengshu Vidu)",
    modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME}),
    ratios=("16:9", "9:16", "4:3", "3:4", "1:1"),
    seconds=(5, *range(1, 5), *range(6, 17)),
    resolutions=("720p", "540p", "1080p"),
    # Beside a photo `audio` is a link to music.
    exceptions=(Exclusion(modes=frozenset({Mode.FIRST_FRAME}), sound=True),),
    prompt_limit=1500,  # 2000 from words alone
    prompt_advice=None,
    photo_rules=PhotoRules(max_long_to_short=4.0),
    seed_max=2**31 - 1,
    audio=True,
    off_peak=True,
    typical_s=180.0,
    # Off-peak jobs are made within 48 hours.
    keeps_s=50 * 3600.0,
)
_VIDU_FIELDS = {**_PLAIN_FIELDS, "audio": "audio", "seed": "seed", "off_peak": "off_peak"}


PRODUCTS: Mapping[str, Product] = {
    product.model.name: product
    for product in (
        _veo(_VEO_3, "veo-3.0-generate-preview", _veo_3_picture),
        _veo(_VEO_3_1, "veo-3.1-generate", frames("image", "last_image")),
        _veo(_VEO_3_1_FAST, "veo-3.1-fast-generate", frames("image", "last_image")),
        _seedance(_SEEDANCE, fast=False),
        _seedance(_SEEDANCE_FAST, fast=True),
        _kling(_KLING_3, "kling-v3.0-std"),
        _kling(_KLING_3_PRO, "kling-v3.0-pro"),
        _kling(_KLING_2_6, "kling-v2.6-pro"),
        replace(_kling(_KLING_2_5, "kling-2.5-turbo"), values={"seconds": str}, extras={"mode": "pro"}),
        Product(_KLING_O1, _KLING_O1_FORMS, _KLING_FIELDS),
        Product(_HAILUO, _HAILUO_FORMS, _HAILUO_FIELDS, values={"resolution": _upper}),
        Product(_HAILUO_FAST, _HAILUO_FAST_FORMS, _HAILUO_FIELDS, values={"resolution": _upper}),
        Product(
            _WAN,
            _by_mode(Form("wan2.6-t2v"), Form("wan2.6-i2v", frames("img_url"))),
            _WAN_FIELDS,
            values={"several_shots": lambda several: "multi" if several else "single"},
            # Several shots are made unless one is asked for.
            extras={"shot_type": "single", "watermark": False},
            nest=_wan_body,
        ),
        Product(
            _GROK,
            _by_mode(Form("grok-imagine-video-t2v"), Form("grok-imagine-video-i2v", frames("image"))),
            _PLAIN_FIELDS,
        ),
        Product(
            _VIDU,
            _by_mode(Form("vidu-q3-pro-t2v"), Form("vidu-q3-pro-i2v", listed("images"))),
            _VIDU_FIELDS,
        ),
    )
}
"""Every model by our name, in the order in which people see them. Some may be off sale: then an order answers
404, costs nothing, and the model is hidden until the bot starts again."""
MODELS = tuple(product.model for product in PRODUCTS.values())
