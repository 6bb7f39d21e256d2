"""The tables and how they came to be: sqlite-utils migrations, each applied once and in one transaction.

A migration that people may have run is never edited; another one is added, and `SCHEMA_VERSION` raised.
Times are ISO 8601 text in UTC with microseconds (`rows.to_text`): it sorts as text and can be read.
"""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database
from sqlite_utils.db import ForeignKey
from sqlite_utils.migrations import Migrations

migrations = Migrations("dreamreel")


def migrate(connection: sqlite3.Connection) -> None:
    """Apply what is pending. `connection` is in autocommit mode and keeps its settings."""
    migrations.apply(
        Database(connection, strict=True, recursive_triggers=False, execute_plugins=False)  # our own alone
    )


@migrations()
def tasks_updates_people(db: Database) -> None:
    """Create the first tables."""
    _create_tasks(db)
    _create_attempts(db)
    _create_updates(db)
    db.table("people").create({"user_id": int, "role": str, "language": str, "told_at": str}, pk="user_id")
    db.table("chats").create({"chat_id": int, "told_at": str}, pk="chat_id")


@migrations()
def photos_and_accounts(db: Database) -> None:
    """Add cards with a photo, failover, what people were told of their photos, accounts in trouble."""
    tasks, people = db.table("tasks"), db.table("people")
    tasks.add_column("card_has_photo", int, not_null_default=0)
    tasks.add_column("passed_over", str, not_null_default="[]")  # JSON
    people.add_column("companies", str, not_null_default="[]")  # JSON
    people.add_column("crop_preview", int, not_null_default=1)
    columns = {"provider": str, "trouble": str, "since": str}
    db.table("accounts").create(columns, pk="provider", not_null=columns)
    kept = {"id": int, "user_id": int, "key": str, "values_json": str}
    db.table("notices").create(kept, pk="id", not_null=kept)
    db.table("notices").create_index(["user_id", "id"], "notices_of_user")


@migrations()
def settings_and_recipes(db: Database) -> None:
    """Add settings of chats, shared requests, and an index for a person's history."""
    db.table("chats").add_column("settings", str, not_null_default="{}")  # JSON
    columns = {"token": str, "task_id": str, "user_id": int, "request": str, "created_at": str}
    db.table("recipes").create(columns, pk="token", not_null=columns)
    db.table("recipes").create_index(["task_id"], "recipes_of_task")
    db.table("recipes").create_index(["user_id"], "recipes_of_user")
    db.execute(
        "CREATE INDEX tasks_made ON tasks (chat_id, user_id, finished_at)"
        " WHERE state = 'succeeded' AND delivered_at IS NOT NULL"
    )
    db.execute("CREATE INDEX tasks_of_user ON tasks (user_id)")


@migrations()
def durations_and_heartbeat(db: Database) -> None:
    """Add how long jobs take, which polls told it, and when the bot was last alive."""
    tasks = db.table("tasks")
    tasks.add_column("looked_at", str)
    tasks.add_column("running_at", str)
    learned = {"key": str, "learned": str}  # JSON
    db.table("durations").create(learned, pk="key", not_null=learned)
    db.table("heartbeat").create({"id": int, "at": str}, pk="id", not_null={"at"})


@migrations()
def groups_that_moved(db: Database) -> None:
    """Add the id that a supergroup had before."""
    db.table("chats").add_column("moved_from", int)


@migrations()
def record_of_changes(db: Database) -> None:
    """Add what admins decide while the bot runs: the newest of each name about each subject is in force."""
    columns = {"id": int, "subject": int, "name": str, "value": str, "changed_by": int, "changed_at": str}
    db.table("changes").create(columns, pk="id", not_null=columns.keys() - {"value"})
    db.table("changes").create_index(["subject", "name", "id"], "changes_of_subject")
    db.table("changes").create_index(["name"], "changes_of_name")


@migrations()
def tasks_by_age(db: Database) -> None:
    """Add an index for all tasks, newest first, as operators read them."""
    db.table("tasks").create_index(["created_at", "id"], "tasks_by_age")


@migrations()
def statistics_and_passes(db: Database) -> None:
    """Add indexes for statistics, and the tokens of the operator's page."""
    db.execute("CREATE INDEX tasks_queued ON tasks (queued_at) WHERE queued_at IS NOT NULL")
    db.execute("CREATE INDEX attempts_submits ON attempts (at, id) WHERE call = 'submit'")
    columns = {"digest": str, "kind": str, "user_id": int, "expires_at": str}
    db.table("passes").create(columns, pk="digest", not_null=columns)


@migrations()
def old_rows_and_marks(db: Database) -> None:
    """Add an index for what was closed long ago, the age of notices, and what has been told."""
    db.execute("CREATE INDEX tasks_closed ON tasks (delivered_at) WHERE delivered_at IS NOT NULL")
    db.table("notices").add_column("kept_at", str)
    db.execute("UPDATE notices SET kept_at = strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')")
    marks = {"key": str, "at": str}
    db.table("marks").create(marks, pk="key", not_null=marks)


@migrations()
def turns_and_slots(db: Database) -> None:
    """Add whose turn it is, and how far the slots of each account have come."""
    slots = {"provider": str, "reached": int}
    db.table("slots").create(slots, pk="provider", not_null=slots, defaults={"reached": 0})
    tasks = db.table("tasks")
    tasks.add_column("turn", int)
    tasks.add_column("chat_turn", int)
    # People who wait by now keep the order of their own tasks; they take turns from here on.
    db.execute(
        "UPDATE tasks SET chat_turn = 1, turn = place FROM (SELECT id AS of, row_number() OVER"
        " (PARTITION BY provider, user_id ORDER BY due_at, rowid) AS place FROM tasks"
        " WHERE waits_for_slot = 1) WHERE id = of"
    )
    for index in (
        "tasks_by_turn ON tasks (waits_for_slot, provider, turn, chat_turn)",
        "tasks_by_turn_of_user ON tasks (waits_for_slot, provider, user_id, turn)",
        "tasks_by_turn_in_chat ON tasks (waits_for_slot, provider, chat_id, turn, chat_turn)",
    ):
        db.execute(f"CREATE INDEX {index} WHERE waits_for_slot = 1")


@migrations()
def pauses_and_spending(db: Database) -> None:
    """Add pauses of buying, and indexes for what was bought within an hour or a day."""
    columns = {"id": int, "model": str, "paused_by": int, "paused_at": str}
    ended = {"resumed_by": int, "resumed_at": str}
    db.table("pauses").create(columns | ended, pk="id", not_null=columns)
    for index in (
        "UNIQUE INDEX pauses_in_force ON pauses (model) WHERE resumed_at IS NULL",
        "INDEX tasks_handed_over ON tasks (submitted_at, provider) WHERE submitted_at IS NOT NULL",
        "INDEX tasks_paid ON tasks (counts, queued_at, user_id, price)"
        " WHERE counts = 1 AND price IS NOT NULL",
    ):
        db.execute(f"CREATE {index}")


@migrations()
def limits_in_use(db: Database) -> None:
    """Add how many jobs an account takes at once, if that is fewer than was set."""
    for column, kind in (("jobs", int), ("refusals", int), ("refused_at", str), ("probe_at", str)):
        db.table("slots").add_column(column, kind)


@migrations()
def record_of_acts(db: Database) -> None:
    """Add what admins did with single tasks and people."""
    columns = {"id": int, "verb": str, "target": str, "done_by": int, "done_at": str}
    db.table("acts").create(columns, pk="id", not_null=columns)
    db.table("acts").create_index(["target", "id"], "acts_on_target")


@migrations()
def updates_of_persons(db: Database) -> None:
    """Add the person of an update, so that a waiting one holds up only its own person, and how many processes
    ended while they handled it."""
    for column in ("user_id", "deaths"):
        db.table("updates").add_column(column, int, not_null_default=0)
    db.execute("DROP INDEX updates_open")
    columns = "(state, chat_id, user_id, update_id)"
    db.execute(f"CREATE INDEX updates_open ON updates {columns} WHERE state = 'open'")


@migrations()
def standard_names(db: Database) -> None:
    """Rename columns and tables after the fields and subjects they hold. SQLite renames in indexes by
    itself."""
    for old, new in (
        ("hidden", "detached"),
        ("passed_over", "tried_models"),
        ("looked_at", "polled_at"),
        ("is_open", "is_active"),
        ("counts", "counts_toward_quota"),
        ("turn", "queue_tag"),
        ("chat_turn", "chat_queue_tag"),
    ):
        db.execute(f"ALTER TABLE tasks RENAME COLUMN {old} TO {new}")
    db.execute("ALTER TABLE passes RENAME TO tokens")
    db.execute("ALTER TABLE marks RENAME TO flags")


@migrations()
def one_audit_log(db: Database) -> None:
    """Move what admins did and decided into one table. `pauses` holds only those in force."""
    columns = {
        **{"id": int, "action": str, "target": str, "name": str},
        **{"value": str, "done_by": int, "done_at": str},
    }
    db.table("audit_log").create(columns, pk="id", not_null=columns.keys() - {"value"})
    for index in (
        "INDEX audit_log_of_target ON audit_log (target, id)",
        "INDEX audit_log_settings ON audit_log (name, target, id) WHERE action = 'set'",
        # When the purchase guard's own pauses were ended: asked before each purchase.
        "INDEX audit_log_guard_ended ON audit_log (done_at) WHERE action = 'resume' AND value = '0'",
    ):
        db.execute(f"CREATE {index}")
    # By time; but those of one kind keep their order even if a clock was set back: the newest setting counts.
    db.execute(
        "INSERT INTO audit_log (action, target, name, value, done_by, done_at)"
        " SELECT action, target, name, value, done_by, done_at FROM ("
        " SELECT verb AS action, target, '' AS name, NULL AS value, done_by, done_at, 1 AS kind, id,"
        " max(done_at) OVER (ORDER BY id) AS latest FROM acts"
        " UNION ALL SELECT 'set', CAST(subject AS TEXT), name, value, changed_by, changed_at, 2, id,"
        " max(changed_at) OVER (ORDER BY id) FROM changes"
        " UNION ALL SELECT 'pause', model, '', NULL, paused_by, paused_at, 3, id, paused_at FROM pauses"
        " UNION ALL SELECT 'resume', model, '', CAST(paused_by AS TEXT), resumed_by, resumed_at, 4, id,"
        " resumed_at FROM pauses WHERE resumed_at IS NOT NULL"
        ") ORDER BY latest, kind, id"
    )
    db.execute("DROP TABLE acts")
    db.execute("DROP TABLE changes")
    db.execute("DELETE FROM pauses WHERE resumed_at IS NOT NULL")
    db.execute("DROP INDEX pauses_in_force")
    db.execute("ALTER TABLE pauses DROP COLUMN resumed_by")
    db.execute("ALTER TABLE pauses DROP COLUMN resumed_at")
    db.execute("CREATE UNIQUE INDEX pauses_of_model ON pauses (model)")


@migrations()
def tokens_of_tasks(db: Database) -> None:
    """Add how many tokens a provider billed for a job."""
    db.table("tasks").add_column("billed_tokens", int)


@migrations()
def cancellations(db: Database) -> None:
    """Add who cancelled a task, and when, with an index for people who want to be forgotten."""
    tasks = db.table("tasks")
    tasks.add_column("cancelled_at", str)
    tasks.add_column("cancelled_by", int)
    tasks.add_column("cancelled_by_name", str, not_null_default="")
    db.execute("CREATE INDEX tasks_cancelled_by ON tasks (cancelled_by) WHERE cancelled_by IS NOT NULL")


@migrations()
def deleted_videos(db: Database) -> None:
    """Add when a person had the message with their video deleted."""
    db.table("tasks").add_column("deleted_at", str)


@migrations()
def batches(db: Database) -> None:
    """Add tasks that were ordered at once: the first of them, and which of how many each is."""
    tasks = db.table("tasks")
    tasks.add_column("batch_id", str)
    tasks.add_column("batch_place", int, not_null_default=1)
    tasks.add_column("batch_size", int, not_null_default=1)


@migrations()
def videos_of_people(db: Database) -> None:
    """Add an index for a person's newest videos of all chats."""
    db.execute(
        "CREATE INDEX tasks_made_by ON tasks (user_id, finished_at)"
        " WHERE state = 'succeeded' AND delivered_at IS NOT NULL"
    )


@migrations()
def bars(db: Database) -> None:
    """Add the measure of a card's bar, and how full it was."""
    tasks = db.table("tasks")
    tasks.add_column("expected_s", float)
    tasks.add_column("bar_floor", float, not_null_default=0.0)


@migrations()
def films(db: Database) -> None:
    """Add films, and which film a task is a shot of."""
    db.table("tasks").add_column("film_id", str)
    # JSON in `body`: what the columns do not say.
    columns = {"id": str, "version": int, "chat_id": int, "user_id": int, "is_open": int, "body": str}
    more = {"update_id": int, "due_at": str, "finished_at": str}
    db.table("films").create(columns | more, pk="id", not_null=columns)
    for index in (
        "UNIQUE INDEX films_of_update ON films (update_id) WHERE update_id IS NOT NULL",
        "INDEX films_due ON films (due_at) WHERE due_at IS NOT NULL",
        "INDEX films_open ON films (is_open, chat_id, user_id) WHERE is_open = 1",
        "INDEX films_of_user ON films (user_id)",
        "INDEX films_finished ON films (finished_at) WHERE finished_at IS NOT NULL",
    ):
        db.execute(f"CREATE {index}")


def _create_tasks(db: Database) -> None:
    db.table("tasks").create(
        {
            # The fields of a Task, under their names.
            "id": str,
            "version": int,
            "update_id": int,
            "chat_id": int,
            "thread_id": int,
            "user_id": int,
            "user_name": str,
            "message_id": int,
            "card_id": int,
            "album_id": str,
            "language": str,
            "provider": str,
            "request": str,  # JSON
            "question": str,
            "price": str,  # a decimal number
            "state": str,
            "remote_id": str,
            "progress": float,
            "error_code": str,
            "error_detail": str,
            "hidden": int,
            "attempts": int,
            "failing_since": str,
            "parent_id": str,
            "video_url": str,
            "keep_until": str,
            "late_at": str,
            "sending_at": str,
            "file_id": str,
            "created_at": str,
            "queued_at": str,
            "submitted_at": str,
            "finished_at": str,
            "delivered_at": str,
            "due_at": str,
            # What the state machine says of it, written with every save.
            "waits_for_slot": int,
            "slot_until": str,
            "is_open": int,
            "counts": int,
            # Under a lease: the due_at it had before. Else NULL.
            "due_before_lease": str,
        },
        pk="id",
        not_null={
            *("id", "version", "chat_id", "user_id", "user_name", "language", "provider", "request", "state"),
            *("hidden", "attempts", "created_at", "waits_for_slot", "is_open", "counts"),
        },
    )
    # Partial indexes, which sqlite-utils has no words for: as large as what is going on, not as the history.
    # The flag they ask for stands in them too, else SQLite reads each row to look at it.
    for index in (
        # What the worker asks many times a second. No task that waits for a slot stands in another's way.
        "INDEX tasks_due ON tasks (waits_for_slot, due_at) WHERE due_at IS NOT NULL",
        "INDEX tasks_waiting ON tasks (waits_for_slot, provider, due_at) WHERE waits_for_slot = 1",
        "INDEX tasks_in_slots ON tasks (provider, slot_until) WHERE slot_until IS NOT NULL",
        "INDEX tasks_leased ON tasks (due_before_lease) WHERE due_before_lease IS NOT NULL",
        # Handling an update twice makes one task.
        "UNIQUE INDEX tasks_of_update ON tasks (update_id) WHERE update_id IS NOT NULL",
        "UNIQUE INDEX tasks_of_album ON tasks (chat_id, album_id) WHERE album_id IS NOT NULL",
        # What the chat asks for each message and tap.
        "INDEX tasks_on_card ON tasks (chat_id, card_id) WHERE card_id IS NOT NULL",
        "INDEX tasks_asking ON tasks (chat_id, user_id) WHERE question IS NOT NULL AND finished_at IS NULL",
        "INDEX tasks_open_of_user ON tasks (is_open, user_id) WHERE is_open = 1",
        "INDEX tasks_open_in_chat ON tasks (is_open, chat_id) WHERE is_open = 1",
        "INDEX tasks_counted ON tasks (counts, queued_at) WHERE counts = 1",
        "INDEX tasks_counted_of_user ON tasks (counts, user_id, queued_at) WHERE counts = 1",
        "INDEX tasks_counted_in_chat ON tasks (counts, chat_id, queued_at) WHERE counts = 1",
    ):
        db.execute(f"CREATE {index}")


def _create_attempts(db: Database) -> None:
    columns = {
        "id": int,
        "task_id": str,
        "provider": str,
        "call": str,
        "at": str,
        "took_s": float,
        "answer": str,
        "detail": str,
    }
    task = ForeignKey("attempts", "task_id", "tasks", "id", on_delete="CASCADE")
    db.table("attempts").create(columns, pk="id", not_null=columns, foreign_keys=[task])
    db.table("attempts").create_index(["task_id", "at"], "attempts_of_task")


def _create_updates(db: Database) -> None:
    db.table("updates").create(
        {
            "update_id": int,
            "chat_id": int,
            "body": str,  # JSON; empty once it is done
            "state": str,  # open, done, or parked: failed so often that the chat goes on without it
            "attempts": int,
            "received_at": str,
            "due_at": str,  # NULL: at once
            "leased_until": str,
        },
        pk="update_id",
        not_null={"update_id", "chat_id", "body", "state", "attempts", "received_at"},
    )
    for index in (
        "INDEX updates_open ON updates (state, chat_id, update_id) WHERE state = 'open'",
        "INDEX updates_done ON updates (state, received_at) WHERE state = 'done'",
    ):
        db.execute(f"CREATE {index}")
