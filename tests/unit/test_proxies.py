"""Proxies: which one a call goes through, however it is written, and that it goes there."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest
from provider_server import ProviderServer
from proxy_servers import ProxyServer, proxy_server
from running import BotHarness, BotProcess, open_gate, stage
from yarl import URL

from bot.admin.setting_sources import shown_value
from bot.chat.telegram_io.client import connect
from bot.errors import FetchError, SettingsError, Unavailable
from bot.log import redactor
from bot.network.proxies import Proxy, environment_proxy, read_proxy
from bot.providers.wire.fetch import VideoFetcher
from bot.providers.wire.http import Call, Http
from bot.settings import (
    IsolatedSettings,
    proxy_for_heartbeat,
    proxy_for_provider,
    proxy_for_telegram,
    secrets_of,
)

TELEGRAM = "https://api.telegram.org"
PASSWORD = "p@s/s w[rd"
ACCOUNTS = ["", f"ada:{PASSWORD}"]
SCHEMES = ["http", "https", "socks5"]


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for localhost, which this process trusts."""
    key, certificate = tmp_path / "tls.key", tmp_path / "tls.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run(
        ["openssl", "req", *kind, *names, "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


# Which one


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080"),
        ("socks5h://proxy.lan", "socks5://proxy.lan:1080"),
        ("SOCKS://proxy.lan:9050/", "socks5://proxy.lan:9050"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        ("https://proxy.lan", "https://proxy.lan:443"),
        (f"http://ada:{PASSWORD}@proxy.lan:3128", "http://ada:p%40s%2Fs%20w%5Brd@proxy.lan:3128"),
        ("http://ada:p%40ss@proxy.lan:3128", "http://ada:p%40ss@proxy.lan:3128"),
        ("none", "none"),
        ("None", "none"),
    ],
)
def test_the_address_of_a_proxy_is_read_in_every_form(text: str, read: str) -> None:
    assert read_proxy(text) == read


@pytest.mark.parametrize(
    "text",
    ["proxy.lan:3128", "ftp://proxy.lan:21", "socks4://proxy.lan:1", "http://", "http://a:b@", "http://h:x"],
)
def test_what_is_no_proxy_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"^socks5://host:1080") as refused:
        read_proxy(text)
    assert "a:b" not in str(refused.value)


@pytest.mark.parametrize(
    ("listed", "is_direct"),
    [
        ("", False),
        ("*", True),
        ("telegram.org", True),
        (".telegram.org", True),
        ("*.telegram.org", True),
        ("api.telegram.org:443,other", True),
        ("api.telegram.org:8080", False),
        ("https://api.telegram.org/", True),
        ("::1/128 [::1] fe80::/10, 10.0.0.0/8; API.TELEGRAM.ORG", True),
        ("gram.org", False),
        ("[::1]:80,*:443,:,*.", False),
        ("10.0.0.0/99,[", False),
    ],
)
def test_every_form_of_no_proxy_is_read_or_passed_over(listed: str, is_direct: bool) -> None:
    environment = {"https": "http://proxy.lan:3128", "no": listed}
    assert (environment_proxy(f"{TELEGRAM}:443", environment) is None) is is_direct


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"https": "127.0.0.1:7890"}, Proxy("http://127.0.0.1:7890", "HTTPS_PROXY")),
        ({"all": "socks5://h:1"}, Proxy("socks5://h:1", "ALL_PROXY")),
        ({"all": "socks://h:1", "https": ""}, Proxy("socks5://h:1", "ALL_PROXY")),
        ({"all": "socks5h://h", "https": "http://p:3"}, Proxy("http://p:3", "HTTPS_PROXY")),
        ({"http": "http://p:3"}, None),
    ],
)
def test_the_environment_names_a_proxy_by_the_kind_of_the_address(
    environment: dict[str, str], proxy: Proxy | None
) -> None:
    assert environment_proxy(TELEGRAM, environment) == proxy
    assert environment_proxy("http://127.0.0.1:8081", environment) is None


def test_a_proxy_of_the_environment_that_nobody_can_use_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks4://ada:s3cret@proxy.lan:1080")
    with pytest.raises(SettingsError, match=r"^ALL_PROXY of the environment is no proxy") as refused:
        proxy_for_telegram(IsolatedSettings())
    assert "s3cret" not in str(refused.value)
    assert proxy_for_telegram(IsolatedSettings(telegram_proxy="none")) is None


def test_the_nearest_setting_counts() -> None:
    settings = IsolatedSettings(
        telegram_proxy="http://t:1",
        provider_proxy="http://p:1",
        ark_proxy="none",
        geekai_proxy="socks5://g:1",
    )
    names = ("ark", "geekai", "jiekou", "preview")
    found = {name: proxy_for_provider(settings, name) for name in names}
    assert found["ark"] is None
    assert found["geekai"] == Proxy("socks5://g:1", "GEEKAI_PROXY")
    assert found["jiekou"] == Proxy("http://p:1", "PROVIDER_PROXY")
    assert str(proxy_for_telegram(settings)) == "http://t:1 (TELEGRAM_PROXY)"


@pytest.mark.parametrize(
    ("url", "own", "way"),
    [
        ("https://hc-ping.com/uuid", None, "http://env:1 (HTTPS_PROXY)"),
        ("https://hc-ping.com/uuid", "socks5://h:1", "socks5://h:1 (HEARTBEAT_PROXY)"),
        ("https://hc-ping.com/uuid", "none", "None"),
        ("https://status.lan/uuid", None, "None"),
        ("http://127.0.0.1:8000/uuid", "socks5://h:1", "None"),
        (None, "socks5://h:1", "None"),
    ],
)
def test_the_heartbeat_has_a_proxy_of_its_own_or_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, url: str | None, own: str | None, way: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://env:1")
    monkeypatch.setenv("NO_PROXY", ".lan")
    settings = IsolatedSettings.model_validate({"heartbeat_url": url, "heartbeat_proxy": own})
    assert str(proxy_for_heartbeat(settings)) == way


def test_the_password_of_a_proxy_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://eve:envir0nment@proxy.lan:3128")
    settings = IsolatedSettings(provider_proxy=f"http://ada:{PASSWORD}@proxy.lan:3128")
    assert shown_value(settings, "PROVIDER_PROXY") == "http://…@proxy.lan:3128"
    told = redactor(secrets_of(settings))(f"{PASSWORD} {settings.provider_proxy} envir0nment")
    assert told == "[hidden] http://ada:[hidden]@proxy.lan:3128 [hidden]"
    assert "p%40s" not in repr(settings) + repr(proxy_for_provider(settings, "ark"))


# That it goes there


def _through(proxy: ProxyServer, account: str) -> str:
    return read_proxy(proxy.url(account))


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_telegram_is_called_through_the_proxy(
    tmp_path: Path, tls: ssl.SSLContext, scheme: str, account: str
) -> None:
    async with (
        stage(tmp_path) as live_bot,
        proxy_server(scheme, account, tls if scheme == "https" else None) as proxy,
    ):
        url = live_bot.server.url.replace("127.0.0.1", "telegram.test")
        way = Proxy(_through(proxy, account), "TELEGRAM_PROXY")
        bot = connect(live_bot.server.token, url, open_gate(), proxy=way)
        await bot.initialize()
        assert bot.id == live_bot.world.bot.id
        await bot.get_updates(timeout=0)
        await bot.shutdown()
    assert {place.partition(":")[0] for place in proxy.seen} == {"telegram.test"}
    assert proxy.refused == 0


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_provider_is_called_and_its_video_fetched_through_the_proxy(
    tmp_path: Path, tls: ssl.SSLContext, scheme: str, account: str
) -> None:
    async with (
        ProviderServer() as server,
        proxy_server(scheme, account, tls if scheme == "https" else None) as proxy,
    ):
        address = server.base_url.replace("127.0.0.1", "provider.test")
        way = _through(proxy, account)
        answer = await Http(proxy=way).send(Call.POLL, "GET", URL(f"{address}/nothing"), {})
        assert answer.status in {400, 401, 404}
        await VideoFetcher(proxy=way).fetch(f"{address}/videos/7.mp4?sign=s3cr3t-7", tmp_path / "v.mp4")
        assert (tmp_path / "v.mp4").stat().st_size > 0
    assert proxy.seen == [address.removeprefix("http://")] * 2


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_proxy_that_refuses_has_certainly_ordered_nothing(tmp_path: Path, scheme: str) -> None:
    async with proxy_server(scheme, "ada:right") as proxy:
        for way in (_through(proxy, "ada:wrong"), _through(proxy, ""), "http://127.0.0.1:9"):
            with pytest.raises(Unavailable, match="the proxy does not connect to provider"):
                await Http(proxy=way).send(Call.SUBMIT, "POST", URL("http://provider.test/x"), {}, b"{}")
            with pytest.raises(FetchError, match="the proxy does not connect") as refused:
                await VideoFetcher(proxy=way).fetch("http://provider.test/v.mp4", tmp_path / "v.mp4")
            assert refused.value.again
    assert (proxy.refused, proxy.seen) == (4, [])


@pytest.mark.parametrize("link", ["http://10.0.0.7/v.mp4", "http://localhost/v.mp4", "http://[::1]/v.mp4"])
async def test_no_private_address_is_fetched_through_a_proxy(tmp_path: Path, link: str) -> None:
    async with proxy_server("socks5") as proxy:
        with pytest.raises(FetchError, match="private address"):
            await VideoFetcher(proxy=_through(proxy, "")).fetch(link, tmp_path / "v.mp4")
    assert proxy.seen == []


async def test_nothing_on_this_machine_is_called_through_a_proxy(tmp_path: Path) -> None:
    async with ProviderServer() as server:
        nowhere = "http://127.0.0.1:9"
        await Http(proxy=nowhere).send(Call.POLL, "GET", URL(f"{server.base_url}/nothing"), {})
        fetcher = VideoFetcher(frozenset({"127.0.0.1"}), nowhere)
        await fetcher.fetch(f"{server.base_url}/videos/7.mp4?sign=s3cr3t-7", tmp_path / "v.mp4")


async def test_a_bot_behind_proxies_makes_a_video(tmp_path: Path) -> None:
    async with (
        stage(tmp_path) as live_bot,
        proxy_server("socks5", "ada:tele") as of_telegram,
        proxy_server("http", "ada:prov") as of_provider,
    ):
        process = BotProcess(tmp_path, _behind(live_bot, of_telegram, of_provider))
        await process.start()
        await process.prints("Dreamreel is up")
        ada, chat = live_bot.newcomer()
        live_bot.world.say(ada, chat, "/video a paper boat")
        await live_bot.shown(chat)
        await process.kill()
    assert of_telegram.seen
    assert of_provider.seen


def _behind(live_bot: BotHarness, of_telegram: ProxyServer, of_provider: ProxyServer) -> dict[str, str]:
    """Every other way is blocked: the names exist nowhere but at the proxies."""
    return live_bot.values(
        telegram_api_url=live_bot.server.url.replace("127.0.0.1", "telegram.test"),
        telegram_proxy=of_telegram.url("ada:tele"),
        volcengine_base_url=live_bot.provider.base_url.replace("127.0.0.1", "provider.test"),
        provider_proxy="http://127.0.0.1:9",
        volcengine_proxy=of_provider.url("ada:prov"),
    ) | {"no_proxy": "::1/128,[", "all_proxy": "socks5://127.0.0.1:9"}
