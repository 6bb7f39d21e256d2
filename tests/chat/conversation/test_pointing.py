"""What a person points at, or was just asked about, is what they mean."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from films import film
from pictures import photo
from PIL import Image, PngImagePlugin
from running import BOT, BotHarness, bot_on_stage, buttons, says

from bot.request import VideoRequest
from bot.sandbox import Chat, Json, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORIGIN = {"origin": {"type": "hidden_user", "date": 1_700_000_000, "sender_user_name": "Somebody"}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def priced(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    """A bot whose videos have a price: 0.40 for five seconds, in dollars."""
    folder: Path = tmp_path_factory.mktemp("priced")
    async with bot_on_stage(folder, model_prices="jimeng-pro=0.08/s", currency="USD") as live_bot:
        yield live_bot


def _request(task: Json) -> VideoRequest:
    return VideoRequest.model_validate_json(task["request"])


async def _drafted(live_bot: BotHarness, chat: Chat, many: int = 1) -> Json:
    """The newest task, a draft: nothing was bought."""
    await live_bot.until(lambda: len(live_bot.tasks(chat)) == many)
    newest = live_bot.tasks(chat)[-1]
    assert newest["state"] == "draft"
    return newest


async def _made(live_bot: BotHarness, person: Person, chat: Chat, words: str) -> Json:
    live_bot.world.say(person, chat, f"/video@{BOT} {words}")
    return (await live_bot.shown(chat))[-1]


def _words_of(message: Json) -> str:
    return str(message.get("text") or message.get("caption"))


# A photo, a film, and what is in another chat.


async def test_words_in_reply_to_a_photo_draft_that_photo(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    first = live_bot.world.send_photo(ada, chat, photo())
    await live_bot.card(chat)
    live_bot.world.send_photo(ada, chat, photo(480, 640))
    await live_bot.until(lambda: len(live_bot.tasks(chat)) == 2)
    live_bot.world.say(ada, chat, "the first one waves", reply_to=first)
    await live_bot.until(lambda: "the first one waves" in str(live_bot.tasks(chat)))
    one, other = live_bot.tasks(chat)
    assert _request(one).prompt == "the first one waves"
    assert _request(one).photos == (first["photo"][-1]["file_id"],)
    assert _request(other).prompt == ""
    live_bot.world.say(ada, chat, "it bows", reply_to=first)
    again = await _drafted(live_bot, chat, 3)
    assert _request(again).photos == _request(one).photos
    assert _request(again).prompt == "it bows"


async def test_a_command_or_words_about_a_photo_elsewhere_use_it(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    boris, elsewhere = live_bot.newcomer("Boris")
    sent = live_bot.world.send_photo(boris, elsewhere, photo())
    external = ORIGIN | {"photo": sent["photo"]}
    live_bot.world.say(ada, chat, "it waves", external=external)
    assert _request(await _drafted(live_bot, chat)).photos == (sent["photo"][-1]["file_id"],)
    live_bot.world.say(ada, chat, "/video it waves from afar", external=external)
    await live_bot.shown(chat)
    assert live_bot.photo_sent("it waves from afar").size == (640, 480)


@pytest.mark.parametrize("text", ["/video it nods", "it nods", "/animate it nods"])
async def test_what_another_chat_keeps_back_is_asked_for(live_bot: BotHarness, text: str) -> None:
    ada, chat = live_bot.newcomer()
    said = live_bot.world.say(ada, chat, text, external=ORIGIN)
    question = await live_bot.answer(said)
    assert question["text"] == "it nods\n" + says("card_ask_first_photo")
    assert _request(await _drafted(live_bot, chat)).prompt == "it nods"


async def test_animate_without_a_photo_asks_for_one_and_keeps_the_words(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    question = await live_bot.answer(live_bot.world.say(ada, chat, "/animate the leaves begin to move"))
    assert says("card_ask_first_photo") in question["text"]
    assert question["reply_markup"]["force_reply"] is True
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("the leaves begin to move") == 0
    live_bot.world.send_photo(ada, chat, photo(), reply_to=question)
    await live_bot.shown(chat)
    assert live_bot.photo_sent("the leaves begin to move").size == (640, 480)


async def test_animate_in_a_group_asks_for_a_photo_too(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    group = live_bot.world.add_group("Friends", [ada])
    question = await live_bot.answer(live_bot.world.say(ada, group, f"/animate@{BOT} the kite climbs"))
    live_bot.world.send_photo(ada, group, photo(), reply_to=question)
    await live_bot.shown(group)
    assert live_bot.jobs("the kite climbs") == 1


async def test_a_bare_animate_takes_words_and_photo_in_any_order(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await live_bot.answer(live_bot.world.say(ada, chat, "/animate"))
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "the curtain stirs"))
    assert answer["text"] == says("photo_wanted")
    live_bot.world.send_photo(ada, chat, photo())
    await live_bot.shown(chat)
    assert live_bot.photo_sent("the curtain stirs").size == (640, 480)


async def test_words_in_reply_to_a_film_of_ones_own_draft_what_happens_next(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    sent = live_bot.world.send_video(ada, chat, film())
    live_bot.world.say(ada, chat, "it drives off", reply_to=sent)
    asks = says("card_draft")
    card = (await live_bot.until(lambda: [one for one in live_bot.messages(chat) if asks in _words_of(one)]))[
        -1
    ]
    assert says("card_extends") in card["caption"]
    assert live_bot.jobs("it drives off") == 0
    await live_bot.tap(ada, card, says("button_generate"))
    await live_bot.shown(chat)
    assert live_bot.jobs("it drives off") == 1


@pytest.mark.parametrize("name", ["IMG_0001.JPG", "scan.jfif", "from an editor.JPEG"])
async def test_a_photo_file_is_known_by_its_name_and_first_bytes(live_bot: BotHarness, name: str) -> None:
    ada, chat = live_bot.newcomer()
    notes = PngImagePlugin.PngInfo()
    notes.add_text("parameters", "x" * 2_000_000, zip=True)
    file = io.BytesIO()
    Image.open(io.BytesIO(photo())).save(file, "PNG", pnginfo=notes)
    live_bot.world.send_photo(
        ada, chat, file.getvalue(), caption=f"it is {name}", as_document=True, name=name
    )
    await live_bot.shown(chat)
    assert live_bot.photo_sent(f"it is {name}").size == (640, 480)


async def test_a_photo_without_its_last_bytes_is_filmed(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    sent = photo()[:-2]
    live_bot.world.send_photo(ada, chat, sent, caption="nearly whole", as_document=True, name="a.jpg")
    await live_bot.shown(chat)
    assert live_bot.photo_sent("nearly whole").size == (640, 480)


# A card of the bot.


async def test_words_for_a_video_offer_both_with_their_prices(priced: BotHarness) -> None:
    ada, chat = priced.newcomer()
    priced.provider.video = film()
    video = await _made(priced, ada, chat, "a boat at the pier")
    draft = await priced.answer(priced.world.say(ada, chat, "it sails out 10s", reply_to=video))
    assert says("card_reworded") in draft["text"]
    anew, onward = [one for one in buttons(draft) if "0.80" in one]
    assert (anew.split(" ·")[0], onward.split(" ·")[0]) == (says("button_generate"), says("button_extend"))
    await priced.tap(ada, draft, onward)
    await priced.until(lambda: len(priced.videos(chat)) == 2)
    await priced.shown(chat, 2)
    assert priced.now(draft) is None
    assert priced.jobs("it sails out") == 1
    boat, sails = priced.tasks(chat)
    assert _request(sails).extends == boat["file_id"]
    assert _request(sails).seconds == 10
    assert sails["parent_id"] == boat["id"]
    assert "press_too_late" not in await priced.tap(ada, priced.videos(chat)[1], says("button_details"))


async def test_going_on_twice_buys_once(priced: BotHarness) -> None:
    ada, chat = priced.newcomer()
    priced.provider.video = film()
    video = await _made(priced, ada, chat, "a train in a station")
    draft = await priced.answer(priced.world.say(ada, chat, "it leaves", reply_to=video))
    onward = next(data for data in buttons(draft).values() if data.startswith("goon:"))
    queries = [priced.world.press(ada, draft, onward) for _ in range(2)]
    assert len(queries) == 2
    await priced.shown(chat, 2)
    await priced.handled(ada, chat)
    assert priced.jobs("it leaves") == 1


async def test_a_command_in_reply_to_a_card_means_the_photo_that_was_sent(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    sent = live_bot.world.send_photo(ada, chat, photo(400, 1000), caption="a tall view")
    card = (await live_bot.until(lambda: [one for one in live_bot.messages(chat) if "photo" in one]))[-1]
    assert says("card_crop") in card["caption"]
    live_bot.world.say(ada, chat, "/video it spins", reply_to=card)
    request = _request(await _drafted(live_bot, chat, 2))
    assert (request.prompt, request.photos) == ("it spins", (sent["photo"][-1]["file_id"],))


async def test_words_for_a_failed_card_draft_its_recipe(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    sent = live_bot.world.send_photo(ada, chat, photo())
    card = await live_bot.card(chat)
    await live_bot.tap(ada, card, says("button_dismiss"))
    await live_bot.until(lambda: live_bot.tasks(chat)[0]["state"] == "cancelled")
    live_bot.world.say(ada, chat, "the hat flies off", reply_to=card)
    request = _request(await _drafted(live_bot, chat, 2))
    assert request.photos == (sent["photo"][-1]["file_id"],)
    assert request.prompt == "the hat flies off"


# A question of the bot.


async def test_a_question_outlives_its_reply_bar_and_buys_nothing_then(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    await live_bot.answer(live_bot.world.say(ada, chat, "/video 10s"))
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a fox in the snow"))
    assert says("card_draft") in draft["text"]
    assert "10 s" in draft["text"]
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("a fox in the snow") == 0
    await live_bot.tap(ada, draft, says("button_generate"))
    await live_bot.shown(chat)
    assert len(live_bot.tasks(chat)) == 1


async def test_other_words_without_a_reply_are_a_draft_of_the_same_recipe(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    video = await _made(live_bot, ada, chat, "an open door 9:16")
    await live_bot.tap(ada, video, says("button_other_words"))
    await live_bot.until(lambda: len(live_bot.tasks(chat)) == 2)
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a closed door"))
    assert draft["text"].startswith("a closed door\njimeng-pro · 9:16")
    assert says("card_draft") in draft["text"]
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("a closed door") == 0


async def test_an_album_with_words_takes_no_others_unless_they_answer_it(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.send_album(ada, chat, [photo(), photo(), photo()], caption="the seasons pass")
    which = await live_bot.card(chat)
    assert "the seasons pass" in _words_of(which)
    live_bot.world.say(ada, chat, "a heron lands")
    assert _request(await _drafted(live_bot, chat, 2)).photos == ()
    assert _request(live_bot.tasks(chat)[0]).prompt == "the seasons pass"
    live_bot.world.say(ada, chat, "the years pass", reply_to=which)
    await live_bot.until(lambda: _request(live_bot.tasks(chat)[0]).prompt == "the years pass")


async def test_in_a_group_the_answer_of_another_is_a_draft_of_theirs(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    question = await live_bot.answer(live_bot.world.say(ada, group, f"/video@{BOT} 10s"))
    answered = live_bot.world.say(boris, group, "an idea of Boris", reply_to=question)
    draft = await live_bot.answer(answered)
    assert says("card_draft") in draft["text"]
    task = await _drafted(live_bot, group, 2)
    assert (task["user_id"], _request(task).prompt, _request(task).seconds) == (
        boris.id,
        "an idea of Boris",
        10,
    )
    assert live_bot.jobs("an idea of Boris") == 0
    live_bot.world.say(ada, group, "an idea of Ada", reply_to=question)
    await live_bot.shown(group)
    assert live_bot.jobs("an idea of Ada") == 1


async def test_in_a_group_the_photo_of_another_is_a_draft_of_theirs(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    question = await live_bot.answer(live_bot.world.say(ada, group, f"/animate@{BOT} a shared smile"))
    live_bot.world.send_photo(boris, group, photo(), reply_to=question)
    task = await _drafted(live_bot, group, 2)
    assert (task["user_id"], _request(task).prompt, len(_request(task).photos)) == (
        boris.id,
        "a shared smile",
        1,
    )


# An edited message.


async def test_editing_the_message_of_an_open_draft_changes_it(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    said = live_bot.world.say(ada, chat, "a gray horse 9:16")
    draft = await live_bot.answer(said)
    live_bot.world.edit(ada, said, "a white horse 10s")
    changed = "a white horse\njimeng-pro · 9:16 · 10 s · 1080p · 🔇"
    await live_bot.until(lambda: (live_bot.now(draft) or {}).get("text", "").startswith(changed))
    await live_bot.tap(ada, draft, says("button_generate"))
    await live_bot.shown(chat)
    assert (live_bot.jobs("a gray horse"), live_bot.jobs("a white horse")) == (0, 1)
    live_bot.world.edit(ada, said, "a black horse")
    await live_bot.handled(ada, chat)
    assert live_bot.jobs("a black horse") == 0


async def test_a_caption_that_comes_later_is_the_words_for_the_photo(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    sent = live_bot.world.send_photo(ada, chat, photo())
    card = await live_bot.card(chat)
    live_bot.world.edit(ada, sent, "a wink")
    await live_bot.until(lambda: says("card_draft") in (live_bot.now(card) or {}).get("text", ""))
    task = await _drafted(live_bot, chat)
    assert (_request(task).prompt, len(_request(task).photos)) == ("a wink", 1)


async def test_an_edit_that_cannot_work_changes_nothing_and_is_explained(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    said = live_bot.world.say(ada, chat, "a slow river")
    await live_bot.answer(said)
    live_bot.world.edit(ada, said, "a slow river 7s")
    refusal = says("no_seconds", model="jimeng-pro", choices="5, 10", asked=7)
    await live_bot.until(lambda: refusal in str(live_bot.messages(chat)))
    assert _request(await _drafted(live_bot, chat)).seconds is None


# Commands that are nearly right.


async def test_a_command_with_an_accent_is_not_the_short_one_with_half_a_word(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer(language="pt")
    live_bot.world.say(ada, chat, "/vídeo um gato laranja")
    await live_bot.shown(chat)
    assert live_bot.jobs("um gato laranja") == 1


@pytest.mark.parametrize("text", ["/video一只猫", "/video: 一只猫", "／video 一只猫"])
async def test_a_command_glued_to_its_words_is_that_command(live_bot: BotHarness, text: str) -> None:
    ada, chat = live_bot.newcomer()
    live_bot.world.say(ada, chat, f"{text} {len(text)}")
    await live_bot.shown(chat)
    assert live_bot.jobs(f"一只猫 {len(text)}") == 1


async def test_a_mistyped_video_is_drafted(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "/vidoe a paper crane"))
    assert says("card_guessed", command="/video") in draft["text"]
    assert live_bot.jobs("a paper crane") == 0
    await live_bot.tap(ada, draft, says("button_generate"))
    await live_bot.shown(chat)
    assert live_bot.jobs("a paper crane") == 1


async def test_a_mistyped_animate_keeps_the_photo_that_it_answers(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    sent = live_bot.world.send_photo(ada, chat, photo())
    await live_bot.card(chat)
    live_bot.world.say(ada, chat, "/anmiate a bow", reply_to=sent)
    task = await _drafted(live_bot, chat, 2)
    assert _request(task).photos == (sent["photo"][-1]["file_id"],)


async def test_another_mistyped_command_is_done_with_a_button(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    said = live_bot.world.say(ada, chat, "/modles")
    question = await live_bot.answer(said)
    assert question["text"] == says("did_you_mean", command="models")
    await live_bot.tap(ada, question, says("button_did_you_mean", command="models"))
    await live_bot.until(
        lambda: (
            says("models_heading", name="jimeng-pro", title="") in str(live_bot.messages(chat))
            or "jimeng-pro" in str(live_bot.messages(chat)[-1])
        )
    )
    await live_bot.until(lambda: live_bot.now(question) is None)
    nonsense = live_bot.world.say(ada, chat, "/xyzzy")
    assert (await live_bot.answer(nonsense))["text"] == says("unknown_command")


async def test_in_a_group_only_what_names_this_bot_is_guessed(live_bot: BotHarness) -> None:
    ada, _ = live_bot.newcomer()
    boris, _ = live_bot.newcomer("Boris")
    group = live_bot.world.add_group("Friends", [ada, boris])
    live_bot.world.say(ada, group, "/modles")
    live_bot.world.say(ada, group, f"/xyzzy@{BOT}")
    assert await live_bot.heard_nothing(ada, group)
    question = await live_bot.answer(live_bot.world.say(ada, group, f"/modles@{BOT}"), containing="/models")
    assert await live_bot.tap(boris, question, says("button_did_you_mean", command="models")) == says(
        "press_not_yours"
    )
    await live_bot.tap(ada, question, says("button_did_you_mean", command="models"))
    await live_bot.until(lambda: "jimeng-pro" in str(live_bot.messages(group)[-1]))


async def test_commands_of_admins_are_not_guessed_for_others(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/alow 7"))
    assert answer["text"] == says("unknown_command")


async def test_a_ratio_that_no_model_makes_is_refused(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    answer = await live_bot.answer(live_bot.world.say(ada, chat, "/video a tall tower 1:7"))
    assert "1:7" in answer["text"]
    assert "16:9" in answer["text"]
    assert live_bot.tasks(chat) == []


async def test_more_words_than_a_model_follows_are_told_kindly_on_the_draft(live_bot: BotHarness) -> None:
    ada, chat = live_bot.newcomer()
    advice = says("card_prompt_advice", model="jimeng-pro", letters=400)
    draft = await live_bot.answer(live_bot.world.say(ada, chat, "a long tale " * 40))
    assert advice in draft["text"]
    await live_bot.tap(ada, draft, says("button_generate"))
    await live_bot.shown(chat)
    assert advice not in str([call.params for call in live_bot.edits(chat)])
    short = await live_bot.answer(live_bot.world.say(ada, chat, "a short tale"))
    assert advice not in short["text"]
