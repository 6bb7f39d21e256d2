"""Every sentence of the security page is held by tests, named here, or says what no test can see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from fakes import NOW

from bot.admin.live_settings import CHANGEABLE
from bot.app import check_bot
from bot.settings import IsolatedSettings, Settings
from bot.stores.sqlite import SQLiteStore
from bot.web.admin.auth import make_link

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
_SENTENCE = re.compile(r"(?<=[.:])\s+(?=[A-Z`])")
_TEST = re.compile(r"^\s*(?:async )?def (test_\w+)", re.MULTILINE)

HELD_BY: Mapping[str, tuple[str, ...]] = {
    # A stranger on Telegram
    "The bot buys nothing for people": ("test_a_stranger_is_told_their_id_once_and_then_there_is_silence",),
    "With empty lists": ("test_either_list_is_enough_and_without_any_only_admins_may_ask",),
    "A stranger gets one answer": (
        "test_a_stranger_is_told_their_id_once_and_then_there_is_silence",
        "test_admins_are_asked_once_and_who_is_allowed_is_told_and_may_ask",
    ),
    "The link that makes the first admin works": (
        "test_of_several_claims_in_one_moment_one_makes_an_admin",
        "test_the_claim_link_makes_its_first_opener_the_admin",
    ),
    "People who are allowed have limits": (
        "test_a_flood_of_orders_buys_no_more_than_the_limit_and_leaves_none_out_unsaid",
        "test_all_channels_of_a_group_count_as_one",
    ),
    "A budget and an hourly limit": (
        "test_four_processes_never_spend_more_than_the_budget",
        "test_the_hours_figure_is_exact_however_many_buy_at_once",
    ),
    "The bot answers a flood": ("test_repeated_updates_of_a_flood_are_answered_once",),
    # An allowed person who wants more
    "The bot looks up everything": (
        "test_forged_choices_change_nothing",
        "test_forged_models_are_refused",
    ),
    "The task, its owner": ("test_forged_data_touches_no_task_of_anybody_else",),
    "A press on somebody else": ("test_a_draft_of_somebody_elses_video_counts_on_ones_own_limit",),
    "The same button press": (
        "test_generate_tapped_twice_buys_once",
        "test_an_update_that_comes_twice_makes_one_task",
        "test_the_photos_of_an_album_make_one_task",
    ),
    "Prompts and names are escaped": (
        "test_foreign_text_is_escaped_and_ours_is_not",
        "test_a_name_stands_isolated",
        "test_a_card_mentions_nobody",
    ),
    "An invalid option": ("test_an_option_nobody_has_is_answered_with_those_there_are",),
    "People who write as channels": (
        "test_all_channels_of_a_group_count_as_one",
        "test_admins_of_a_group_may_refuse_channels",
        "test_copies_of_a_channels_posts_and_other_bots_order_nothing",
    ),
    "Who sends little": ("test_a_newcomer_does_not_wait_behind_the_long_queues_of_others",),
    # A file
    "Photos and videos are decoded in a separate": (
        "test_work_that_takes_too_much_memory_fails_and_the_next_works",
        "test_the_time_limit_kills",
    ),
    "If that process dies or hangs": ("test_a_process_that_dies_is_reported_and_replaced",),
    "The memory limit is": ("test_the_limit_of_a_container_or_a_service_counts",),
    "If memory runs out": (
        "test_the_unit_and_compose_bound_the_memory_and_outlive_a_worker_that_exceeds_it",
    ),
    "Dimensions, frames": (
        "test_sides_beyond_the_bound_are_refused_before_a_frame_is_decoded",
        "test_frames_beyond_the_bound_are_refused_before_one_is_decoded",
        "test_a_length_beyond_the_bound_is_refused_before_a_frame_is_decoded",
    ),
    "Of the 300 decoders": ("test_a_codec_that_neither_phones_nor_models_use_is_never_opened",),
    "A file that crashes or": ("test_a_video_that_crashed_what_read_it_twice_is_given_up",),
    "Only the picture of a photo": (
        "test_metadata_does_not_leave_the_house",
        "test_the_picture_has_no_metadata_and_little_loss",
    ),
    # A provider
    "A link to a video must be": (
        "test_only_http_addresses_are_fetched",
        "test_a_private_address_is_refused_by_name_and_by_number",
    ),
    "The bot checks that": ("test_a_redirect_to_a_private_address_is_refused",),
    "Size and time are": (
        "test_a_download_that_takes_too_long_is_tried_again",
        "test_what_is_not_a_video_is_never_shown",
    ),
    "Error texts of providers": (
        "test_no_failure_shows_a_key_or_a_prompt",
        "test_no_failure_lets_a_secret_out",
    ),
    "An unclear answer": ("test_an_unreadable_answer_proves_nothing",),
    "A key that an answer repeats": ("test_no_secret_in_an_answer_is_stored",),
    "If finished videos cannot": (
        "test_finished_videos_that_cannot_be_fetched_are_told_once_and_their_end_once",
        "test_a_disk_that_takes_no_videos_holds_new_orders_until_an_admin_goes_on",
    ),
    # Somebody on the network
    "The bot asks Telegram": ("test_without_a_public_address_there_is_the_health_alone",),
    "The public server has": ("test_without_a_public_address_there_is_the_health_alone",),
    "A link is signed": (
        "test_another_secret_makes_other_links",
        "test_no_part_of_a_link_can_be_exchanged",
        "test_a_link_is_read_back_until_it_expires",
    ),
    "A forged link gets": ("test_a_forged_link_and_an_expired_one_look_alike",),
    "In webhook mode": ("test_nobody_else_is_listened_to",),
    "The private port listens": (
        "test_a_name_that_somebody_pointed_here_is_turned_away",
        "test_foreign_hosts_and_origins_are_turned_away",
    ),
    "Its page needs a login": ("test_a_link_opens_the_page_by_one_tap_and_leaves_no_code_behind",),
    # Somebody who reads logs
    "Tokens and keys have": ("test_no_secret_stands_in_a_repr_or_in_an_error_of_the_library",),
    "Every log line is": ("test_a_secret_is_blotted_out_wherever_it_stands",),
    "The token is in": ("test_no_failure_lets_a_secret_out",),
    "No log line holds": ("test_no_failure_shows_a_key_or_a_prompt",),
    "Only the owner can": (
        "test_the_folder_and_the_files_are_private",
        "test_a_key_is_made_once_for_its_owner_alone",
    ),
    "The database holds": ("test_the_database_holds_no_login_link",),
    "The doctor warns if the chat": ("test_a_channel_that_stores_videos_is_private_and_lets_the_bot_post",),
    # Somebody who publishes packages
    "Every dependency is": ("test_each_dependency_is_pinned_to_a_version_that_is_allowed",),
    "The image and `deploy/install.sh` install nothing else": (
        "test_the_image_installs_only_what_is_pinned_by_its_hash",
    ),
    "`make audit` asks": ("test_what_the_audit_cannot_see_is_said",),
    "The image runs as": ("test_image_and_compose_give_up_every_right",),
    "The systemd unit": ("test_the_unit_gives_up_every_right",),
    # What is not protected
    "Somebody who controls an admin's": ("test_a_setting_is_seen_changed_and_taken_back_in_the_chat",),
    "Keys, addresses": (
        "test_no_key_address_or_admin_can_be_changed_from_telegram",
        "test_taking_a_change_back_leaves_what_the_start_said_and_a_record_of_both",
    ),
    "`/privacy` names it": ("test_privacy_says_who_receives_what_in_the_persons_language",),
    "A provider that lies": ("test_a_row_tells_all_that_a_bill_may_be_asked_about",),
    "The container and the systemd unit limit": (
        "test_image_and_compose_give_up_every_right",
        "test_the_unit_gives_up_every_right",
    ),
    "A proxy (`PROVIDER_PROXY`)": ("test_a_provider_is_called_and_its_video_fetched_through_the_proxy",),
    "The bot refuses links to addresses": ("test_no_private_address_is_fetched_through_a_proxy",),
    "Libraries inside wheels": ("test_what_the_audit_cannot_see_is_said",),
    "Take newer versions": ("test_what_the_audit_cannot_see_is_said",),
    "A photo link works for": ("test_a_link_is_read_back_until_it_expires",),
    "Only the provider gets it": ("test_a_link_names_its_photo_and_its_kind_under_the_public_address",),
    "Reach it through `ssh -L`": ("test_a_start_prints_where_the_private_server_is_and_how_to_get_there",),
    "Backups keep for a week": (
        "test_each_night_one_copy_is_made_and_seven_are_kept",
        "test_privacy_says_who_receives_what_in_the_persons_language",
    ),
    # If a secret or an account got out
    "The token: send": ("test_another_token_of_the_same_bot_keeps_its_database",),
    "Nothing is lost": ("test_another_token_of_the_same_bot_keeps_its_database",),
    "Compare its list": ("test_a_row_tells_all_that_a_bill_may_be_asked_about",),
    "`python -m bot admins list`": ("test_an_admin_who_claimed_the_bot_is_removed_beside_it",),
    "That ends their sessions": (
        "test_an_admin_who_is_removed_has_no_session_and_no_older_link_makes_another",
    ),
    "Restart the bot": ("test_an_admin_who_claimed_the_bot_is_removed_beside_it",),
    "Your own id in": ("test_the_claim_link_makes_its_first_opener_the_admin",),
    "Then look at": (
        "test_the_record_tells_who_did_what",
        "test_a_decision_is_taken_back_as_if_nobody_had_decided",
    ),
    "An admin's Telegram account": (
        "test_who_is_no_admin_any_more_is_out_at_once",
        "test_an_admin_of_the_settings_cannot_be_removed_and_a_claimed_one_is",
    ),
    "Another admin can": ("test_who_claimed_the_bot_is_removed_with_their_sessions",),
    "`SECRET_KEY`, or": (
        "test_a_key_is_made_once_for_its_owner_alone",
        "test_the_setting_is_the_key_and_nothing_is_kept",
    ),
    "Existing photo links": ("test_another_secret_makes_other_links",),
}
"""How a sentence begins, and the tests that hold it."""

UNTESTABLE: Mapping[str, str] = {
    "Somebody who controls the machine": "whoever reads the memory of a process has its keys",
    "Encrypt the disk": "advice",
    "Use Telegram's two-step": "advice",
    "Telegram can read": "a fact of Telegram",
    "A provider sees": "what the providers are called for",
    "A heap overflow": "a hole that nobody knows",
    "PyAV brings FFmpeg": "what others put into their wheels",
    "`make audit` knows": "what pip-audit does not do",
    "The private port without": "a server without a certificate has no TLS",
    "Browsers send a cookie": "a rule of browsers: RFC 6265, 8.5",
    "So a server at another port": "the same rule",
    "Traffic that only costs": "a line can be filled by anybody",
    "A provider's key": "done at the provider",
    "The link that makes the first admin, or": "the rule; what follows from it is held by the next sentences",
}
"""What describes the world outside, or is advice: no test of ours can see it. With the reason."""


SECTIONS = (
    "Attackers, and what stops them",
    "What is not protected",
    "If a secret or an account got out",
)
"""All but the table of what is protected, which says no more than why."""


def _sentences() -> list[str]:
    found = []
    for title in SECTIONS:
        section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        assert section, title
        for item in re.split(r"\n\n|\n(?=- |\d+\. )", section.strip()):
            text = " ".join(re.sub(r"^(?:- |\d+\. )", "", item).split())
            if title == SECTIONS[0]:
                text = re.sub(r"^\*\*.*?\*\*\s*", "", text)  # who attacks
            found += _SENTENCE.split(text.replace("**", ""))
    return found


def _holding(sentence: str) -> list[str]:
    return [start for start in (*HELD_BY, *UNTESTABLE) if sentence.startswith(start)]


def test_each_sentence_is_held_by_a_test_or_says_why_none_can_hold_it() -> None:
    assert [one for one in _sentences() if len(_holding(one)) != 1] == []
    assert all(UNTESTABLE.values())


def test_nothing_is_held_that_is_not_said() -> None:
    said = {start for one in _sentences() for start in _holding(one)}
    assert sorted({*HELD_BY, *UNTESTABLE} - said) == []
    assert re.findall(r"^## (.+)$", PAGE, re.MULTILINE) == ["What is protected", *SECTIONS]


def test_the_tests_that_are_named_exist() -> None:
    written = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in _TEST.findall(path.read_text(encoding="utf-8"))
    }
    assert sorted(name for names in HELD_BY.values() for name in names if name not in written) == []


def test_the_image_installs_only_what_is_pinned_by_its_hash() -> None:
    assert "--require-hashes" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_image_and_compose_give_up_every_right() -> None:
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert re.search(r"^USER (?!root|0\b)\d+", image, re.MULTILINE)
    assert "read_only: true" in compose
    assert re.search(r"cap_drop:\s*(?:\[\s*|-\s*)ALL", compose)


def test_the_unit_gives_up_every_right() -> None:
    unit = (ROOT / "deploy/dreamreel.service").read_text(encoding="utf-8")
    for line in ("NoNewPrivileges=", "ProtectSystem=strict", "CapabilityBoundingSet=\n"):
        assert line in unit


def test_what_the_audit_cannot_see_is_said() -> None:
    unprotected = " ".join(PAGE.partition("## What is not protected")[2].split())
    assert "Libraries inside wheels" in unprotected


def test_no_key_address_or_admin_can_be_changed_from_telegram() -> None:
    fixed = {
        name.upper()
        for name, field in Settings.model_fields.items()
        if "Secret" in str(field.annotation)
        or name.endswith(("_url", "_proxy", "_host", "_hosts", "_port", "_dir", "_key_id"))
        or name == "admin_users"
    }
    assert len(fixed) > 20
    assert CHANGEABLE.keys() < {name.upper() for name in Settings.model_fields}
    assert CHANGEABLE.keys() & fixed == set()


async def test_another_token_of_the_same_bot_keeps_its_database(tmp_path: Path) -> None:
    store = await SQLiteStore.open(tmp_path / "bot.db", lambda: NOW)
    for key in ("AAE-first-first", "AAE-after-revoke"):
        settings = IsolatedSettings.model_validate({"telegram_bot_token": f"4711:{key}"})
        check_bot(await store.maintenance.claim_for_bot(settings.bot_id), settings.bot_id)
    await store.close()


async def test_the_database_holds_no_login_link(tmp_path: Path) -> None:
    store = await SQLiteStore.open(tmp_path / "bot.db", lambda: NOW)
    link = await make_link(store.tokens, "http://127.0.0.1:8081", 7, NOW)
    await store.close()
    code = link.partition("#")[2]
    assert len(code) >= 22, "128 bits"
    assert code.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
