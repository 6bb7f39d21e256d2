"""The operator's page over real HTTP: who gets in, what they see, and what is done on purpose alone."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from admin_site import ADMIN, NOW, PROMPT, SECRET, AdminSite, a_submit, a_task, admin_site

from bot.admin.live_settings import CHANGEABLE
from bot.admin.permissions import Permissions
from bot.codes import FailureCode
from bot.request import VideoRequest
from bot.store import AccountTrouble, TaskFilter
from bot.store.audit import THE_DISK, AuditEntry, setting
from bot.store.budget import EVERYTHING, Pause
from bot.task import TaskState
from bot.web.admin.auth import LINK_LIVES, SESSION_LIVES

PAGES = [
    "/admin",
    "/admin/days",
    "/admin/tasks",
    "/admin/tasks/boat",
    "/admin/tasks/boat/cancel",
    "/admin/record",
    "/admin/settings",
]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[AdminSite]:
    async with admin_site(tmp_path) as opened:
        await opened.store.tasks.add(a_task("boat", NOW))
        yield opened


MINUTE = timedelta(minutes=1)


def words_of(page: str) -> str:
    """Return what people read of a page, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())


class Visitor:
    """A browser without a window: it keeps cookies and follows nothing."""

    def __init__(self, site: AdminSite, session: aiohttp.ClientSession) -> None:
        self._site = site
        self._session = session

    async def get(self, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, str]:
        async with self._session.get(
            self._site.server.url + path, allow_redirects=False, headers=headers
        ) as response:
            return response, await response.text()

    async def post(
        self, path: str, fields: dict[str, str], **headers: str
    ) -> tuple[aiohttp.ClientResponse, str]:
        async with self._session.post(
            self._site.server.url + path, data=fields, allow_redirects=False, headers=headers
        ) as response:
            return response, await response.text()

    async def enter(self, link: str) -> aiohttp.ClientResponse:
        response, _ = await self.post("/admin/login", {"token": link.partition("#")[2]})
        return response

    async def csrf_token(self, path: str) -> str:
        """Of the form that a page has."""
        _, text = await self.get(path)
        tokens = re.findall(r'name="csrf_token" value="([^"]+)"', text)
        return str(tokens[-1])

    @property
    def cookies(self) -> list[str]:
        return [cookie.value for cookie in self._session.cookie_jar]


@asynccontextmanager
async def visit(site: AdminSite) -> AsyncIterator[Visitor]:
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address of numbers
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Visitor(site, session)


@pytest.fixture
async def stranger(site: AdminSite) -> AsyncIterator[Visitor]:
    async with visit(site) as visitor:
        yield visitor


@pytest.fixture
async def admin(site: AdminSite) -> AsyncIterator[Visitor]:
    async with visit(site) as visitor:
        await visitor.enter(await site.link())
        yield visitor


# The door.


@pytest.mark.parametrize("path", [*PAGES, "/admin/bill?month=2026-05"])
async def test_nobody_sees_a_page_without_a_session(stranger: Visitor, path: str) -> None:
    response, text = await stranger.get(path)
    assert response.status == 401
    assert "Write /admin to the bot" in text
    assert "boat" not in text
    response, _ = await stranger.get(path, Cookie="dreamreel_admin=guessed")
    assert response.status == 401


async def test_looking_at_a_link_does_not_use_it_up(site: AdminSite, stranger: Visitor) -> None:
    link = await site.link()
    path = link.removeprefix(site.server.url).partition("#")[0]
    for _ in range(3):
        response, text = await stranger.get(path)
        assert response.status == 200
        assert "The code after the #" in text
    assert (await stranger.enter(link)).headers["Location"] == "/admin"
    response, text = await stranger.get("/admin")
    assert (response.status, "The queue" in text) == (200, True)


async def test_a_link_is_good_once_and_for_minutes(site: AdminSite, stranger: Visitor) -> None:
    link = await site.link()
    assert (await stranger.enter(link)).status == 303
    async with visit(site) as another:
        assert (await another.enter(link)).status == 403
        late = await site.link()
        site.clock.advance(LINK_LIVES.total_seconds())
        assert (await another.enter(late)).status == 403
        assert another.cookies == []


async def test_a_session_is_for_the_browser_alone_and_ends(site: AdminSite, admin: Visitor) -> None:
    async with visit(site) as another:
        header = (await another.enter(await site.link())).headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Strict" in header
    assert "Path=/admin" in header
    assert f"Max-Age={12 * 3600}" in header
    site.clock.advance(SESSION_LIVES.total_seconds())
    assert (await admin.get("/admin"))[0].status == 401


async def test_who_is_no_admin_any_more_is_out_at_once(site: AdminSite, admin: Visitor) -> None:
    link = await site.link()
    site.admins.clear()
    assert (await admin.get("/admin"))[0].status == 401
    assert (await admin.enter(link)).status == 403


async def test_a_link_and_a_session_are_good_at_every_process(site: AdminSite, admin: Visitor) -> None:
    (cookie,) = admin.cookies
    another = AdminSite(site.folder, site.store, site.clock)
    await another.server.start()
    try:
        async with visit(another) as visitor:
            assert (await visitor.get("/admin", Cookie=f"dreamreel_admin={cookie}"))[0].status == 200
            assert (await visitor.enter(await site.link())).status == 303
            assert (await visitor.get("/admin"))[0].status == 200
    finally:
        await another.server.close()


async def test_leaving_ends_the_session_for_whoever_has_its_cookie(site: AdminSite, admin: Visitor) -> None:
    (cookie,) = admin.cookies
    await admin.post("/admin/logout", {"csrf_token": "forged"})
    assert (await admin.get("/admin"))[0].status == 200
    _, text = await admin.get("/admin")
    csrf_token = re.findall(r'name="csrf_token" value="([^"]+)"', text)[0]
    response, _ = await admin.post("/admin/logout", {"csrf_token": csrf_token})
    assert response.headers["Location"] == "/admin/login"
    assert (await admin.get("/admin", Cookie=f"dreamreel_admin={cookie}"))[0].status == 401


async def test_the_database_holds_nothing_that_opens_the_page(site: AdminSite, admin: Visitor) -> None:
    link = await site.link()
    (cookie,) = admin.cookies
    kept = b"".join(path.read_bytes() for path in site.folder.iterdir())
    assert link.partition("#")[2].encode() not in kept
    assert cookie.encode() not in kept


@pytest.mark.parametrize("path", [*PAGES, "/admin/login", "/admin/nothing", "/admin/static/admin.css"])
async def test_no_answer_lets_anything_foreign_in_or_stays_behind(admin: Visitor, path: str) -> None:
    response, text = await admin.get(path)
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert not re.search(
        r"""\son\w+=|style=|<style|<script>|https?://(?!www\.w3\.org)""", text.replace("script src", "")
    )


# Forms.


async def test_a_form_of_another_site_does_nothing(site: AdminSite, admin: Visitor) -> None:
    csrf_token = await admin.csrf_token("/admin/tasks/boat/cancel")
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        response, _ = await admin.post("/admin/tasks/boat/cancel", {"csrf_token": csrf_token}, **headers)
        assert response.status == 403
    assert await site.done() == []


async def test_a_move_needs_the_form_that_asked_for_it(site: AdminSite, admin: Visitor) -> None:
    await site.store.tasks.add(a_task("hat", NOW))
    csrf_token = await admin.csrf_token("/admin/tasks/hat/cancel")
    for forged in ("", "forged", csrf_token):
        response, _ = await admin.post("/admin/tasks/boat/cancel", {"csrf_token": forged})
        assert response.status == 303
    async with visit(site) as another:
        await another.enter(await site.link())
        await another.post("/admin/tasks/hat/cancel", {"csrf_token": csrf_token})
    assert await site.done() == []


async def test_a_form_that_is_sent_twice_is_acted_on_once(site: AdminSite, admin: Visitor) -> None:
    csrf_token = await admin.csrf_token("/admin/tasks/boat/cancel")
    for _ in range(3):
        response, _ = await admin.post("/admin/tasks/boat/cancel", {"csrf_token": csrf_token})
        assert (response.status, response.headers["Location"]) == (303, "/admin/tasks/boat")
    assert await site.done() == [("cancel", "boat", ADMIN)]


async def test_a_move_is_asked_about_and_named_as_what_it_is(site: AdminSite, admin: Visitor) -> None:
    _, text = await admin.get("/admin/tasks/boat/cancel")
    assert "Nothing was bought yet" in text
    _, text = await admin.get("/admin/tasks/boat/first")
    assert "before all others" in text
    await site.store.tasks.add(a_task("hat", NOW, state=TaskState.RUNNING, submitted_at=NOW))
    _, text = await admin.get("/admin/tasks/hat/cancel")
    assert "It is paid for" in text
    for path in ("/admin/tasks/hat/first", "/admin/tasks/none/cancel", "/admin/tasks/boat/explode"):
        assert (await admin.get(path))[0].status == 409


async def test_a_move_that_cannot_be_made_says_why(site: AdminSite, admin: Visitor) -> None:
    csrf_token = await admin.csrf_token("/admin/tasks/boat/cancel")
    await site.store.tasks.update("boat", lambda task: task.cancelled(NOW))
    response, text = await admin.post("/admin/tasks/boat/cancel", {"csrf_token": csrf_token})
    assert (response.status, "boat has ended: it cannot be stopped any more" in text) == (409, True)


async def test_what_failed_is_asked_for_again_and_the_price_is_said_before(
    site: AdminSite, admin: Visitor
) -> None:
    ended = {"delivered_at": NOW, "due_at": None, "state": TaskState.FAILED}
    await site.store.tasks.add(a_task("hat", NOW, error_code=FailureCode.SUBMIT_UNKNOWN, **ended))
    _, text = await admin.get("/admin/tasks/hat/again")
    assert "It costs 0.42\N{NO-BREAK SPACE}USD." in text
    assert "It may have been charged once already." in text
    csrf_token = await admin.csrf_token("/admin/tasks/hat/again")
    await admin.post("/admin/tasks/hat/again", {"csrf_token": csrf_token})
    assert await site.done() == [("retry", "hat", ADMIN)]
    csrf_token = await admin.csrf_token("/admin/tasks/hat/again")
    response, text = await admin.post("/admin/tasks/hat/again", {"csrf_token": csrf_token})
    assert (response.status, "hat has been asked for again already" in text) == (409, True)


async def test_people_and_models_have_their_moves(site: AdminSite, admin: Visitor) -> None:
    for path in ("people/7001/ban", "people/-100123/allow", "models/jimeng-pro/pause", "models/*/pause"):
        csrf_token = await admin.csrf_token(f"/admin/{path}")
        response, _ = await admin.post(f"/admin/{path}", {"csrf_token": csrf_token})
        assert response.status == 303
    assert [(verb, what) for verb, what, _ in await site.done()] == [
        ("banned", "7001"),
        ("allowed", "-100123"),
        ("pause", "jimeng-pro"),
        ("pause", EVERYTHING),
    ]
    for path in ("models/none/pause", "models/veo-3/resume", "models/*/pause", "people/7001/pause"):
        assert (await admin.get(f"/admin/{path}"))[0].status == 409
    for path in ("people/0", "people/x/ban", "people/99999999999999999999/ban"):
        assert (await admin.get(f"/admin/{path}"))[0].status == 404


async def test_the_first_line_says_what_needs_somebody_and_well_only_if_nothing_does(
    site: AdminSite, admin: Visitor
) -> None:
    assert "All is well" in (await admin.get("/admin"))[1]
    await site.store.providers.mark_trouble(AccountTrouble("jiekou", "no_balance", NOW - 3 * MINUTE))
    site.down["geekai"] = NOW - 5 * MINUTE
    site.fetches_down["ark"] = NOW - 4 * MINUTE
    await site.store.budget.pause(Pause(EVERYTHING, THE_DISK, NOW - 9 * MINUTE))
    site.obstacles.append("Telegram does not answer")
    await site.store.budget.pause(Pause("veo-3", ADMIN, NOW - 2 * MINUTE))
    ended = {"state": TaskState.SUCCEEDED, "finished_at": NOW - 11 * MINUTE}
    await site.store.tasks.add(a_task("film", NOW, **ended))
    text = words_of((await admin.get("/admin"))[1])
    for line in (
        "Telegram does not answer: see the log",
        "jiekou: no balance since 3 min: top it up in its console.",
        "geekai: no answer since 5 min",
        "ark: finished videos cannot be fetched since 4 min: see fetches fail in the log",
        "Everything is paused by the bot, whose disk takes no videos since 9 min: free space where DATA_DIR",
        "veo-3 is paused by Olga since 2 min: go on when it may be bought again. Go on",
        "1 outcome of more than 10 min not told",
    ):
        assert line in text
    assert "All is well" not in text


async def test_an_order_of_unknown_end_is_settled_on_the_page(site: AdminSite, admin: Visitor) -> None:
    unknown = {
        "state": TaskState.FAILED,
        "error_code": FailureCode.SUBMIT_UNKNOWN,
        "submitted_at": NOW,
        "finished_at": NOW,
        "delivered_at": NOW,
        "keep_until": NOW + 60 * MINUTE,
        "due_at": None,
    }
    for name in ("hat", "kite"):
        await site.store.tasks.add(a_task(name, NOW, **unknown))
    text = words_of((await admin.get("/admin"))[1])
    assert "2 orders of unknown end hold 2 of 2 slots at volcengine" in text
    assert "unknown end" in (await admin.get("/admin/tasks/hat"))[1]
    csrf_token = await admin.csrf_token("/admin/tasks/hat/not-made")
    await admin.post("/admin/tasks/hat/not-made", {"csrf_token": csrf_token})
    for typed, status in (("", 409), ("their-7", 303)):
        fields = {"csrf_token": await admin.csrf_token("/admin/tasks/kite/attach"), "typed": typed}
        assert (await admin.post("/admin/tasks/kite/attach", fields))[0].status == status
    hat, kite = await site.store.tasks.get("hat"), await site.store.tasks.get("kite")
    assert hat is not None
    assert kite is not None
    assert (hat.slot_until, hat.error_code) == (None, FailureCode.PROVIDER_FAULT)
    assert (kite.state, kite.remote_id) == (TaskState.RUNNING, "their-7")
    assert await site.done() == [("not_made", "hat", ADMIN), ("attach", "kite", ADMIN)]
    assert "unknown end" not in (await admin.get("/admin"))[1]


async def test_an_id_that_is_refused_stays_in_the_form_below_the_navigation(
    site: AdminSite, admin: Visitor
) -> None:
    lost = {"state": TaskState.FAILED, "error_code": FailureCode.SUBMIT_UNKNOWN, "submitted_at": NOW}
    await site.store.tasks.add(a_task("hat", NOW, **lost))
    await site.store.tasks.add(a_task("film", NOW, state=TaskState.RUNNING, remote_id="their-7"))
    fields = {"csrf_token": await admin.csrf_token("/admin/tasks/hat/attach"), "typed": "their-7"}
    response, text = await admin.post("/admin/tasks/hat/attach", fields)
    assert response.status == 409
    for part in ("their-7 belongs to the task film.", 'value="their-7"', 'href="/admin/tasks"'):
        assert part in text


async def test_limits_that_cannot_be_read_stay_in_the_form(admin: Visitor) -> None:
    token = re.findall(r'name="csrf_token" value="([^"]+)"', (await admin.get("/admin/people/7001"))[1])[-1]
    fields = {"csrf_token": token, "daily_videos": "many", "open_tasks": "2"}
    response, text = await admin.post("/admin/people/7001/limits", fields)
    assert response.status == 409
    for part in ("That is no limit", 'value="many"', 'value="2"', 'href="/admin/tasks"'):
        assert part in text
    response, text = await admin.post("/admin/people/7001/limits", fields | {"csrf_token": "old"})
    assert ("too old" in text, 'value="many"' in text) == (True, True)
    _, text = await admin.post("/admin/settings/CURRENCY", {"csrf_token": "old", "value": "EURO"})
    assert ("too old" in text, 'value="EURO"' in text) == (True, True)


@pytest.mark.parametrize("path", ["/admin/nothing", "/admin/tasks/none", "/admin/bill?month=x"])
async def test_what_is_not_there_keeps_the_navigation(admin: Visitor, path: str) -> None:
    response, text = await admin.get(path)
    assert response.status == 404
    assert 'href="/admin/tasks"' in text


async def test_what_is_ordered_again_leads_to_the_new_task(site: AdminSite, admin: Visitor) -> None:
    ended = {"delivered_at": NOW, "due_at": None, "state": TaskState.CANCELLED}
    await site.store.tasks.add(a_task("hat", NOW, **ended))
    csrf_token = await admin.csrf_token("/admin/tasks/hat/again")
    response, _ = await admin.post("/admin/tasks/hat/again", {"csrf_token": csrf_token})
    found = await site.store.tasks.list_tasks(TaskFilter(), 9)
    (again,) = [task for task in found if task.parent_id == "hat"]
    assert response.headers["Location"] == f"/admin/tasks/{again.id}"


async def test_a_decision_is_taken_back_as_if_nobody_had_decided(site: AdminSite, admin: Visitor) -> None:
    await Permissions(site.store.audit, site.clock).decide(7001, "ignored", ADMIN)
    csrf_token = await admin.csrf_token("/admin/people/7001/undecide")
    await admin.post("/admin/people/7001/undecide", {"csrf_token": csrf_token})
    _, text = await admin.get("/admin/people/7001")
    assert "No decision yet" in text
    assert "/undecide" not in text


async def test_who_claimed_the_bot_is_removed_with_their_sessions(site: AdminSite, admin: Visitor) -> None:
    await site.store.maintenance.set_flag("claim", NOW)
    await site.store.people.claim_admin("claim", 7006)
    site.admins.add(7006)
    assert "/remove-admin" not in (await admin.get(f"/admin/people/{ADMIN}"))[1], (
        "of ADMIN_USERS, and oneself"
    )
    async with visit(site) as another:
        await another.enter(await site.link(7006))
        assert "/remove-admin" not in (await another.get("/admin/people/7006"))[1]
        csrf_token = await admin.csrf_token("/admin/people/7006/remove-admin")
        await admin.post("/admin/people/7006/remove-admin", {"csrf_token": csrf_token})
        assert (await another.get("/admin"))[0].status == 401
    assert await site.store.people.admins() == []
    assert "took the bot from an admin" in (await admin.get("/admin/record"))[1]


# What stands on the pages.


async def test_people_groups_and_who_acted_have_names(site: AdminSite, admin: Visitor) -> None:
    await site.store.tasks.add(a_task("hat", NOW, chat_id=-100123, user_id=7002, user_name="Boris"))
    await site.store.audit.add(AuditEntry("first", "hat", ADMIN, NOW))
    await site.store.audit.add(setting(7003, "role", "banned", ADMIN, NOW))
    await site.store.audit.add(setting(0, "CURRENCY", "EUR", ADMIN, NOW))
    for path, names in {
        "/admin": ("Boris", "Film club"),
        "/admin/tasks": ("Boris", "Film club"),
        "/admin/tasks/hat": ("Boris", "Film club", "Olga"),
        "/admin/people/-100123": ("Film club",),
        "/admin/people/7003": ("Chiara", "Olga"),
        "/admin/record": ("Olga", "Chiara"),
        "/admin/settings": ("Olga",),
    }.items():
        text = (await admin.get(path))[1]
        assert all(f">{name}</a>" in text or f"<h1>{name}" in text for name in names), path


async def test_each_figure_leads_to_the_tasks_that_it_counts(site: AdminSite, admin: Visitor) -> None:
    ended = {"due_at": None, "delivered_at": NOW, "finished_at": NOW}
    await site.store.tasks.add(a_task("film", NOW, state=TaskState.SUCCEEDED, remote_id="7", **ended))
    await site.store.tasks.add(
        a_task("hat", NOW, state=TaskState.FAILED, error_code="prompt_refused", **ended)
    )
    await site.store.tasks.add(a_task("old", NOW - timedelta(days=40)))
    await site.store.tasks.add(a_task("draft", NOW, state=TaskState.DRAFT, queued_at=None))
    for page in ("/admin", "/admin/days", "/admin/people/7001"):
        _, text = await admin.get(page)
        figures = re.findall(r'<dd><a href="(/admin/tasks\?[^"]+)">(\d+)</a>', text)
        figures += re.findall(r'<a class="count" href="(/admin/tasks\?[^"]+)">(\d+)</a>', text)
        assert figures, page
        for query, count in figures:
            _, listed = await admin.get(query.replace("&amp;", "&"))
            assert re.search(rf"\b{count} task", listed), (page, query)
    _, text = await admin.get("/admin/tasks")
    assert ("/admin/tasks/draft" in text, "1 question</a>" in text) == (False, True)
    assert "/admin/tasks/draft" in (await admin.get("/admin/tasks?state=asking"))[1]
    assert "1 task," in (await admin.get("/admin/tasks?until=2026-05-01"))[1]
    _, text = await admin.get("/admin/tasks?since=yesterday")
    assert ("A day is written as" in text, 'value="yesterday"' in text) == (True, True)


async def test_tasks_are_found_by_the_name_of_their_person(site: AdminSite, admin: Visitor) -> None:
    await site.store.tasks.add(a_task("hat", NOW, user_id=7005, user_name="Élodie"))
    _, text = await admin.get("/admin/tasks?person=élo")
    assert ("/admin/tasks/hat" in text, "/admin/tasks/boat" in text) == (True, False)
    assert '<a href="/admin/people/7005">Élodie</a>' in text


async def test_tasks_are_found_by_the_name_or_the_id_of_their_group(site: AdminSite, admin: Visitor) -> None:
    await site.store.tasks.add(a_task("film", NOW, chat_id=-100123))
    await site.store.tasks.add(a_task("hat", NOW, chat_id=-100777))
    for asked in ("FILM cl", "-100123"):
        _, text = await admin.get(f"/admin/tasks?chat={quote(asked)}")
        found = [name for name in ("film", "hat", "boat") if f"/admin/tasks/{name}" in text]
        assert found == ["film"], asked
    assert '<a href="/admin/people/-100123">Film club</a>' in (await admin.get("/admin/tasks?chat=film"))[1]
    assert "There are none" in (await admin.get("/admin/tasks?chat=nobody"))[1]


async def test_each_waiting_task_says_why_and_has_its_actions_beside_it(
    site: AdminSite, admin: Visitor
) -> None:
    veo = VideoRequest(model="veo-3", prompt=PROMPT)
    await site.store.tasks.add(a_task("hat", NOW))
    await site.store.tasks.add(a_task("kite", NOW, provider="jiekou", request=veo))
    await site.store.budget.pause(Pause("veo-3", ADMIN, NOW))
    text = words_of((await admin.get("/admin"))[1])
    for why in ("all slots are used", "1 before it", "paused by Olga", "Put first Cancel"):
        assert why in text
    assert "paused by Olga" in (await admin.get("/admin/tasks/kite"))[1]
    assert "Stop this task" in (await admin.get("/admin/tasks/hat/cancel"))[1]


async def test_a_story_names_who_cancelled_and_folds_polls_alike(site: AdminSite, admin: Visitor) -> None:
    task = a_task("hat", NOW, submitted_at=NOW, remote_id="7", state=TaskState.RUNNING)
    await site.store.tasks.add(task)
    for seconds, answer in ((5, "ok"), (10, "ok"), (15, "ok"), (20, "busy"), (25, "ok")):
        at = NOW + timedelta(seconds=seconds)
        await site.store.tasks.record(a_submit(task, call="poll", at=at, answer=answer, detail=""))
    text = (await admin.get("/admin/tasks/hat"))[1]
    assert (text.count(">poll"), "poll × 3" in text) == (3, True)
    csrf_token = await admin.csrf_token("/admin/tasks/boat/cancel")
    await admin.post("/admin/tasks/boat/cancel", {"csrf_token": csrf_token})
    assert ">cancelled</span>" in (await admin.get("/admin/tasks/boat"))[1]
    await site.store.tasks.update("boat", lambda row: row.cancelled(NOW))
    text = (await admin.get("/admin/tasks/boat"))[1]
    assert "cancelled by Olga" in text
    assert "over:" not in text
    assert "nothing was charged" in text


async def test_a_price_is_shown_where_something_was_charged_alone(site: AdminSite, admin: Visitor) -> None:
    ended = {"state": TaskState.FAILED, "submitted_at": NOW, "finished_at": NOW, "delivered_at": NOW}
    for name, changes, price in (
        ("made", {"state": TaskState.SUCCEEDED, "remote_id": "7"}, "0.42 USD"),
        ("refused", {"error_code": "prompt_refused"}, "–"),
        ("cancelled", {"state": TaskState.CANCELLED, "submitted_at": None}, "–"),
        ("unknown", {"error_code": FailureCode.SUBMIT_UNKNOWN}, "perhaps 0.42 USD"),
    ):
        await site.store.tasks.add(a_task(f"task-{name}", NOW, user_id=7002, **ended | changes))
        _, text = await admin.get(f"/admin/tasks?id=task-{name}")
        (shown,) = re.findall(r'data-label="Price"[^>]*>([^<]+)<', text)
        assert shown.replace("\N{NO-BREAK SPACE}", " ") == price
        word = "nothing was charged" if price == "–" else price
        assert f"<dt>Price</dt><dd>{word}" in (await admin.get(f"/admin/tasks/task-{name}"))[1].replace(
            "\N{NO-BREAK SPACE}", " "
        )


async def test_each_setting_says_what_it_means(admin: Visitor) -> None:
    text = html.unescape((await admin.get("/admin/settings"))[1])
    assert all(meaning.replace("`", "") in text for meaning in CHANGEABLE.values())


async def test_a_person_has_a_page_with_what_was_decided_and_done(site: AdminSite, admin: Visitor) -> None:
    await Permissions(site.store.audit, site.clock).decide(7001, "banned", ADMIN)
    _, text = await admin.get("/admin/people/7001")
    for words in ("Ada", ">banned</span>", "<li>banned", "/admin/tasks/boat", ">Allow<"):
        assert words in text
    assert ">Ban<" not in text
    _, text = await admin.get(f"/admin/people/{ADMIN}")
    assert "Admins may always ask." in text
    assert ">Ban<" not in text
    assert "Film club" in (await admin.get("/admin/people/-100123"))[1]


async def test_the_record_tells_who_did_what(site: AdminSite, admin: Visitor) -> None:
    assert "Nothing so far." in (await admin.get("/admin/record"))[1]
    await site.store.audit.add(AuditEntry("first", "boat", 7, NOW))
    await site.store.audit.add(setting(0, "DAILY_VIDEOS_PER_USER", "30", 8, NOW))
    await site.store.budget.pause(Pause("veo-3", 9, NOW))
    await site.store.budget.resume("veo-3", 10, NOW)
    _, text = await admin.get("/admin/record")
    for words in ("put it first", "set DAILY_VIDEOS_PER_USER to 30", "paused veo-3", "went on with veo-3"):
        assert words in text
    assert all(f"/admin/people/{by}" in text for by in (7, 8, 9, 10))


async def test_words_are_shown_on_purpose_alone_and_that_is_recorded(site: AdminSite, admin: Visitor) -> None:
    for path in PAGES:
        assert PROMPT not in (await admin.get(path))[1]
    response, _ = await admin.post("/admin/tasks/boat/words", {"csrf_token": "forged"})
    assert response.status == 403
    csrf_token = await admin.csrf_token("/admin/tasks/boat")
    _, text = await admin.post("/admin/tasks/boat/words", {"csrf_token": csrf_token})
    assert PROMPT in text
    (act,) = await site.store.audit.entries(10, target="boat")
    assert (act.action, act.by) == ("words", ADMIN)
    assert "read the words" in (await admin.get("/admin/tasks/boat"))[1]


async def test_a_story_has_every_call_and_no_secret(site: AdminSite, admin: Visitor) -> None:
    task = a_task("hat", NOW, state=TaskState.RUNNING, submitted_at=NOW, remote_id="their-job-7")
    await site.store.tasks.add(task)
    await site.store.tasks.record(
        a_submit(task, answer="busy", at=NOW - timedelta(seconds=5), detail=f"key {SECRET}")
    )
    await site.store.tasks.record(a_submit(task))
    await site.store.tasks.record(
        a_submit(task, call="poll", answer="unreachable", at=NOW + timedelta(seconds=60))
    )
    _, text = await admin.get("/admin/tasks/hat")
    for words in (
        "their-job-7",
        "not taken: busy",
        "the provider took it",
        "unreachable",
        "0.42\N{NO-BREAK SPACE}USD",
        "key [hidden]",
    ):
        assert words in text
    assert SECRET not in text


async def test_what_people_and_providers_write_is_never_markup(site: AdminSite, admin: Visitor) -> None:
    evil = "<script>alert(1)</script>"
    task = a_task("hat", NOW, user_name=evil, remote_id=evil, error_code=evil, state=TaskState.FAILED)
    await site.store.tasks.add(task)
    await site.store.tasks.record(a_submit(task, detail=evil, answer=evil))
    for path in (
        "/admin",
        "/admin/days",
        "/admin/tasks",
        "/admin/tasks/hat",
        f"/admin/tasks?id={evil}&person={evil}",
    ):
        response, text = await admin.get(path)
        assert response.status == 200
        assert evil not in text


async def test_tasks_are_found_by_state_person_and_id_page_by_page(site: AdminSite, admin: Visitor) -> None:
    for number in range(60):
        state = TaskState.CANCELLED if number % 2 else TaskState.QUEUED
        await site.store.tasks.add(
            a_task(f"t{number:02}", NOW - timedelta(minutes=number + 1), user_id=number % 3, state=state)
        )
    _, text = await admin.get("/admin/tasks")
    assert "61 tasks" in text
    older = re.search(r'href="(/admin/tasks\?[^"]*after=[^"]+)"', text)
    assert older is not None
    assert "/admin/tasks/boat" in text
    _, text = await admin.get(older[1].replace("&amp;", "&"))
    assert ("/admin/tasks/t59" in text, "/admin/tasks/boat" in text, ">Newest</a>" in text) == (
        True,
        False,
        True,
    )
    _, text = await admin.get("/admin/tasks?state=cancelled&person=1")
    assert "10 tasks" in text
    _, text = await admin.get("/admin/tasks?id=t0&provider=volcengine")
    assert "10 tasks" in text
    for query in (
        "person=nobody",
        "person=99999999999999999999",
        "chat=" + "9" * 5000,
        "chat=x",
        "id=%00",
        "provider=none",
    ):
        assert "0 tasks" in (await admin.get(f"/admin/tasks?{query}"))[1]
    assert (await admin.get("/admin/tasks?state=none&after=none"))[0].status == 200


async def test_a_month_is_a_file_to_check_a_bill_with(site: AdminSite, admin: Visitor) -> None:
    task = a_task("hat", NOW, state=TaskState.RUNNING, submitted_at=NOW, remote_id="their-7")
    await site.store.tasks.add(task)
    await site.store.tasks.record(a_submit(task))
    response, text = await admin.get("/admin/bill?month=2026-05")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="dreamreel-2026-05.csv"'
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert [line.count(",") for line in text.splitlines()] == [19, 19]
    assert "their-7" in text
    for month in ("2026-13", "", '2026-05"'):
        assert (await admin.get(f"/admin/bill?month={month}"))[0].status == 404


@pytest.mark.parametrize("days", ["7", "90", "0", "1000000", "x", ""])
async def test_any_number_of_days_is_a_page(admin: Visitor, days: str) -> None:
    assert (await admin.get(f"/admin/days?days={days}"))[0].status == 200


async def test_an_empty_store_is_a_calm_page(tmp_path: Path) -> None:
    async with admin_site(tmp_path) as site, visit(site) as visitor:
        await visitor.enter(await site.link())
        assert "Nobody waits." in (await visitor.get("/admin"))[1]
        assert "Nobody asked for anything" in (await visitor.get("/admin/days"))[1]
        assert "There are none." in (await visitor.get("/admin/tasks"))[1]
        response, text = await visitor.get("/admin/tasks/none")
        assert (response.status, "There is no such task" in text) == (404, True)


async def test_a_database_that_does_not_answer_is_said_to(site: AdminSite, admin: Visitor) -> None:
    await site.store.close()
    response, text = await admin.get("/admin/days")
    assert (response.status, "The database does not answer" in text) == (503, True)


# Settings and limits.


@pytest.mark.parametrize(
    ("path", "fields", "page"),
    [
        ("/admin/settings/OPEN_TASKS_PER_USER", {"value": "3"}, "/admin/settings"),
        ("/admin/people/7001/limits", {"daily_videos": "3", "open_tasks": ""}, "/admin/people/7001"),
        ("/admin/people/-100500/limits", {"daily_videos": "3", "open_tasks": ""}, "/admin/people/-100500"),
    ],
)
async def test_a_value_is_changed_by_a_form_of_the_same_session_alone(
    site: AdminSite, admin: Visitor, stranger: Visitor, path: str, fields: dict[str, str], page: str
) -> None:
    csrf_token = await admin.csrf_token(page)
    for forged in ("", "forged"):
        response, _ = await admin.post(path, {**fields, "csrf_token": forged})
        assert response.status == 403
    response, _ = await stranger.post(path, {**fields, "csrf_token": csrf_token})
    assert response.status == 401
    assert await site.store.audit.entries(9) == []
    for _ in range(2):
        response, _ = await admin.post(path, {**fields, "csrf_token": csrf_token})
        assert (response.status, response.headers["Location"]) == (303, page)
    (change,) = await site.store.audit.entries(9)
    assert (change.value, change.by) == ("3", ADMIN)


@pytest.mark.parametrize("figure", ["four", "-1", "1.5", "99999999", "٤"])
async def test_a_limit_that_is_none_changes_nothing(site: AdminSite, admin: Visitor, figure: str) -> None:
    csrf_token = await admin.csrf_token("/admin/people/7001")
    fields = {"daily_videos": "3", "open_tasks": figure, "csrf_token": csrf_token}
    response, text = await admin.post("/admin/people/7001/limits", fields)
    assert response.status == 409
    assert "That is no limit" in text
    assert await site.store.audit.entries(9) == []


@pytest.mark.parametrize("name", ["ADMIN_USERS", "TELEGRAM_BOT_TOKEN", "<b>"])
async def test_a_setting_that_is_not_for_changing_stays(site: AdminSite, admin: Visitor, name: str) -> None:
    csrf_token = await admin.csrf_token("/admin/settings")
    _, text = await admin.post(f"/admin/settings/{quote(name)}", {"value": "1", "csrf_token": csrf_token})
    assert "cannot be changed here" in text
    assert "<b>" not in text.lower()
    assert await site.store.audit.entries(9) == []
