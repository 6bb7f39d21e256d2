"""The tables and how they came to be: scripts, each applied once, all in one transaction.

A script that people may have run is never edited; another one is added at the end. A script that older
processes cannot work with is not applied while one of them is running (`_ALONE`).
"""

from __future__ import annotations

from bot.errors import SettingsError, StartError
from bot.stores.postgres.connection.pool import Connection

_IS_AT_WORK = "SELECT EXISTS (SELECT 1 FROM processes WHERE alive_until > clock_timestamp())"
_LOCK = 0x64_72_65_61_6D  # any number that no other program uses in this database: "dream"

_TASKS = """
CREATE TABLE tasks (
    -- The fields of a Task, under their names.
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    update_id bigint,
    chat_id bigint NOT NULL,
    thread_id bigint,
    user_id bigint NOT NULL,
    user_name text NOT NULL,
    message_id bigint,
    card_id bigint,
    card_has_photo boolean NOT NULL,
    album_id text,
    language text NOT NULL,
    provider text COLLATE "C" NOT NULL,
    request text NOT NULL, -- JSON
    question text,
    price text, -- a decimal number
    state text NOT NULL,
    remote_id text,
    progress double precision,
    error_code text,
    error_detail text,
    hidden boolean NOT NULL,
    attempts bigint NOT NULL,
    failing_since timestamptz,
    parent_id text,
    passed_over text NOT NULL, -- JSON
    video_url text,
    keep_until timestamptz,
    looked_at timestamptz,
    running_at timestamptz,
    late_at timestamptz,
    sending_at timestamptz,
    file_id text,
    created_at timestamptz NOT NULL,
    queued_at timestamptz,
    submitted_at timestamptz,
    finished_at timestamptz,
    delivered_at timestamptz,
    due_at timestamptz,
    -- What the state machine says of it, written with every save.
    waits_for_slot boolean NOT NULL,
    slot_until timestamptz,
    is_open boolean NOT NULL,
    counts boolean NOT NULL,
    -- Under a lease: the due_at it had before, and the process that holds it. Else NULL.
    due_before_lease timestamptz,
    leased_by text,
    -- Whose turn it is, among those that wait for a slot.
    turn bigint,
    chat_turn bigint,
    -- The order in which they came.
    place bigint GENERATED ALWAYS AS IDENTITY
) WITH (
    -- A row changes a dozen times in its life: what is dead is cleared away before it is much.
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0, fillfactor = 80
);
-- Partial indexes: as large as what is going on, not as the history.
-- What the worker asks many times a second. No task that waits for a slot stands in another's way.
CREATE INDEX tasks_due ON tasks (due_at, place) WHERE NOT waits_for_slot AND due_at IS NOT NULL;
CREATE INDEX tasks_waiting ON tasks (provider, due_at) WHERE waits_for_slot;
CREATE INDEX tasks_by_turn ON tasks (provider, turn, chat_turn, place) WHERE waits_for_slot;
CREATE INDEX tasks_by_turn_of_user ON tasks (provider, user_id, turn) WHERE waits_for_slot;
CREATE INDEX tasks_by_turn_in_chat ON tasks (provider, chat_id, turn, chat_turn) WHERE waits_for_slot;
CREATE INDEX tasks_waiting_for_time ON tasks (due_at) WHERE waits_for_slot;
CREATE INDEX tasks_in_slots ON tasks (provider, slot_until) WHERE slot_until IS NOT NULL;
CREATE INDEX tasks_leased ON tasks (leased_by) WHERE leased_by IS NOT NULL;
-- Handling an update twice makes one task.
CREATE UNIQUE INDEX tasks_of_update ON tasks (update_id) WHERE update_id IS NOT NULL;
CREATE UNIQUE INDEX tasks_of_album ON tasks (chat_id, album_id) WHERE album_id IS NOT NULL;
-- What the chat asks for each message and tap.
CREATE INDEX tasks_on_card ON tasks (chat_id, card_id) WHERE card_id IS NOT NULL;
CREATE INDEX tasks_asking ON tasks (chat_id, user_id) WHERE question IS NOT NULL AND finished_at IS NULL;
CREATE INDEX tasks_open_of_user ON tasks (user_id) WHERE is_open;
CREATE INDEX tasks_open_in_chat ON tasks (chat_id) WHERE is_open;
CREATE INDEX tasks_counted ON tasks (queued_at) WHERE counts;
CREATE INDEX tasks_counted_of_user ON tasks (user_id, queued_at) WHERE counts;
CREATE INDEX tasks_counted_in_chat ON tasks (chat_id, queued_at) WHERE counts;
CREATE INDEX tasks_made ON tasks (chat_id, user_id, finished_at, place)
    WHERE state = 'succeeded' AND delivered_at IS NOT NULL;
CREATE INDEX tasks_of_user ON tasks (user_id, place);
CREATE INDEX tasks_by_age ON tasks (created_at, id);
CREATE INDEX tasks_queued ON tasks (queued_at) WHERE queued_at IS NOT NULL;
CREATE INDEX tasks_closed ON tasks (delivered_at) WHERE delivered_at IS NOT NULL;
CREATE INDEX tasks_handed_over ON tasks (submitted_at, provider) WHERE submitted_at IS NOT NULL;
CREATE INDEX tasks_paid ON tasks (queued_at, user_id, price) WHERE counts AND price IS NOT NULL;

CREATE TABLE attempts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id text COLLATE "C" NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    provider text NOT NULL,
    call text NOT NULL,
    at timestamptz NOT NULL,
    took_s double precision NOT NULL,
    answer text NOT NULL,
    detail text NOT NULL
);
CREATE INDEX attempts_of_task ON attempts (task_id, at, id);
CREATE INDEX attempts_submits ON attempts (at, id) WHERE call = 'submit';

-- How far each account's slots have come, and how many there are. To count or fill them the row is locked.
CREATE TABLE slots (
    provider text COLLATE "C" PRIMARY KEY,
    reached bigint NOT NULL DEFAULT 0,
    jobs bigint,
    refusals bigint,
    refused_at timestamptz,
    probe_at timestamptz
);
"""

_REST = """
CREATE TABLE updates (
    update_id bigint PRIMARY KEY,
    chat_id bigint NOT NULL,
    body text NOT NULL, -- JSON; empty once it is done
    state text NOT NULL, -- open, done, or parked: failed so often that the chat goes on without it
    attempts bigint NOT NULL,
    received_at timestamptz NOT NULL,
    due_at timestamptz, -- NULL: at once
    leased_until timestamptz,
    leased_by text
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX updates_open ON updates (chat_id, update_id) WHERE state = 'open';
CREATE INDEX updates_done ON updates (received_at) WHERE state = 'done';

CREATE TABLE people (
    user_id bigint PRIMARY KEY,
    role text,
    language text,
    told_at timestamptz,
    companies text NOT NULL, -- JSON
    crop_preview boolean NOT NULL
);
CREATE TABLE chats (
    chat_id bigint PRIMARY KEY,
    told_at timestamptz,
    settings text NOT NULL DEFAULT '{}', -- JSON
    moved_from bigint
);
CREATE TABLE recipes (
    token text PRIMARY KEY,
    task_id text NOT NULL,
    user_id bigint NOT NULL,
    request text NOT NULL, -- JSON
    created_at timestamptz NOT NULL
);
CREATE INDEX recipes_of_task ON recipes (task_id);
CREATE INDEX recipes_of_user ON recipes (user_id);
CREATE TABLE accounts (
    provider text COLLATE "C" PRIMARY KEY,
    trouble text NOT NULL,
    since timestamptz NOT NULL
);
CREATE TABLE notices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    key text NOT NULL,
    values_json text NOT NULL,
    kept_at timestamptz NOT NULL
);
CREATE INDEX notices_of_user ON notices (user_id, id);
CREATE TABLE durations (key text PRIMARY KEY, learned text NOT NULL); -- JSON
-- What admins decide while the bot runs: the newest of each name about each subject is in force.
CREATE TABLE changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject bigint NOT NULL,
    name text NOT NULL,
    value text,
    changed_by bigint NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE INDEX changes_of_subject ON changes (subject, name, id);
CREATE INDEX changes_of_name ON changes (name);
CREATE TABLE pauses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model text NOT NULL,
    paused_by bigint NOT NULL,
    paused_at timestamptz NOT NULL,
    resumed_by bigint,
    resumed_at timestamptz
);
CREATE UNIQUE INDEX pauses_in_force ON pauses (model) WHERE resumed_at IS NULL;
CREATE TABLE passes (
    digest text PRIMARY KEY,
    kind text NOT NULL,
    user_id bigint NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE TABLE acts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    verb text NOT NULL,
    target text NOT NULL,
    done_by bigint NOT NULL,
    done_at timestamptz NOT NULL
);
CREATE INDEX acts_on_target ON acts (target, id);
CREATE UNLOGGED TABLE pace (key text PRIMARY KEY, at timestamptz NOT NULL);
CREATE TABLE marks (key text PRIMARY KEY, at timestamptz NOT NULL);
CREATE TABLE heartbeat (id bigint PRIMARY KEY, at timestamptz NOT NULL);

-- The processes that work on this database. One whose time has run out is dead, and its leases end.
CREATE TABLE processes (id text PRIMARY KEY, alive_until timestamptz NOT NULL);
"""

_WAKING = """
-- Wakes every process when something can be taken at once; never when a job was merely looked at.
CREATE FUNCTION tell_of_work() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('dreamreel', TG_TABLE_NAME);
    RETURN NULL;
END $$;
CREATE TRIGGER task_queued AFTER INSERT ON tasks FOR EACH ROW
    WHEN (NEW.waits_for_slot) EXECUTE FUNCTION tell_of_work();
CREATE TRIGGER task_queued_or_slot_freed AFTER UPDATE ON tasks FOR EACH ROW
    WHEN (NEW.waits_for_slot AND NOT OLD.waits_for_slot
        OR OLD.slot_until IS NOT NULL AND NEW.slot_until IS NULL)
    EXECUTE FUNCTION tell_of_work();
CREATE TRIGGER updates_came AFTER INSERT ON updates FOR EACH STATEMENT EXECUTE FUNCTION tell_of_work();
"""

_SHARING = """
-- Who stored, saved or claimed a task last: whose the card is to count.
ALTER TABLE tasks ADD COLUMN moved_by text;
CREATE UNLOGGED TABLE leases (name text PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL);
"""

_ASIDES = """
-- What an order that is being taken has set aside of the day's budget.
CREATE UNLOGGED TABLE asides (user_id bigint PRIMARY KEY, price text NOT NULL, until timestamptz NOT NULL);
"""

_UPDATES_OF_PERSONS = """
-- Whose an update is: one that waits for its next attempt holds back its own person alone; 0: nobody.
ALTER TABLE updates ADD COLUMN user_id bigint NOT NULL DEFAULT 0;
-- How many processes ended while they handled it.
ALTER TABLE updates ADD COLUMN deaths bigint NOT NULL DEFAULT 0;
DROP INDEX updates_open;
CREATE INDEX updates_open ON updates (chat_id, user_id, update_id) WHERE state = 'open';
"""

_STANDARD_NAMES = """
-- Columns and tables under the names of the fields and subjects they hold.
ALTER TABLE tasks RENAME COLUMN hidden TO detached;
ALTER TABLE tasks RENAME COLUMN passed_over TO tried_models;
ALTER TABLE tasks RENAME COLUMN looked_at TO polled_at;
ALTER TABLE tasks RENAME COLUMN is_open TO is_active;
ALTER TABLE tasks RENAME COLUMN counts TO counts_toward_quota;
ALTER TABLE tasks RENAME COLUMN turn TO queue_tag;
ALTER TABLE tasks RENAME COLUMN chat_turn TO chat_queue_tag;
ALTER TABLE passes RENAME TO tokens;
ALTER TABLE marks RENAME TO flags;
ALTER TABLE pace RENAME TO send_rates;
ALTER TABLE asides RENAME TO reservations;
"""

_AUDIT_LOG = """
-- What admins did and decided, in one table. "pauses" holds only those in force.
CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action text NOT NULL,
    target text NOT NULL,
    name text NOT NULL,
    value text,
    done_by bigint NOT NULL,
    done_at timestamptz NOT NULL
);
CREATE INDEX audit_log_of_target ON audit_log (target, id);
CREATE INDEX audit_log_settings ON audit_log (name, target, id) WHERE action = 'set';
-- When the purchase guard's own pauses were ended: asked before each purchase.
CREATE INDEX audit_log_guard_ended ON audit_log (done_at) WHERE action = 'resume' AND value = '0';
-- By time; but those of one kind keep their order even if a clock was set back: the newest setting counts.
INSERT INTO audit_log (action, target, name, value, done_by, done_at)
    SELECT action, target, name, value, done_by, done_at FROM (
        SELECT verb AS action, target, '' AS name, NULL AS value, done_by, done_at, 1 AS kind, id,
            max(done_at) OVER (ORDER BY id) AS latest FROM acts
        UNION ALL SELECT 'set', subject::text, name, value, changed_by, changed_at, 2, id,
            max(changed_at) OVER (ORDER BY id) FROM changes
        UNION ALL SELECT 'pause', model, '', NULL, paused_by, paused_at, 3, id, paused_at FROM pauses
        UNION ALL SELECT 'resume', model, '', paused_by::text, resumed_by, resumed_at, 4, id, resumed_at
            FROM pauses WHERE resumed_at IS NOT NULL
    ) AS entries ORDER BY latest, kind, id;
DROP TABLE acts, changes;
DELETE FROM pauses WHERE resumed_at IS NOT NULL;
DROP INDEX pauses_in_force;
ALTER TABLE pauses DROP COLUMN resumed_by, DROP COLUMN resumed_at;
CREATE UNIQUE INDEX pauses_of_model ON pauses (model);
"""

_TOKENS_OF_TASKS = """
-- How many tokens a provider billed for a job.
ALTER TABLE tasks ADD COLUMN billed_tokens bigint;
"""

_CANCELLATIONS = """
-- Who cancelled a task, and when; and the way there for somebody who wants to be forgotten.
ALTER TABLE tasks ADD COLUMN cancelled_at timestamptz;
ALTER TABLE tasks ADD COLUMN cancelled_by bigint;
ALTER TABLE tasks ADD COLUMN cancelled_by_name text NOT NULL DEFAULT '';
CREATE INDEX tasks_cancelled_by ON tasks (cancelled_by) WHERE cancelled_by IS NOT NULL;
"""

_DELETED_VIDEOS = """
-- When a person had the message with their video deleted.
ALTER TABLE tasks ADD COLUMN deleted_at timestamptz;
"""

_BATCHES = """
-- Tasks that were ordered at once: the first of them, and which of how many each is.
ALTER TABLE tasks ADD COLUMN batch_id text;
ALTER TABLE tasks ADD COLUMN batch_place bigint NOT NULL DEFAULT 1;
ALTER TABLE tasks ADD COLUMN batch_size bigint NOT NULL DEFAULT 1;
"""

_VIDEOS_OF_PEOPLE = """
-- The way to a person's newest videos of all chats.
CREATE INDEX tasks_made_by ON tasks (user_id, finished_at, place)
    WHERE state = 'succeeded' AND delivered_at IS NOT NULL;
"""

_BARS = """
-- The measure of a card's bar, and how full it was.
ALTER TABLE tasks ADD COLUMN expected_s double precision;
ALTER TABLE tasks ADD COLUMN bar_floor double precision NOT NULL DEFAULT 0;
"""

_FILMS = """
-- Films, and which film a task is a shot of.
ALTER TABLE tasks ADD COLUMN film_id text;
CREATE TABLE films (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    chat_id bigint NOT NULL,
    user_id bigint NOT NULL,
    is_open boolean NOT NULL,
    body text NOT NULL, -- JSON: what the columns do not say
    update_id bigint,
    due_at timestamptz,
    finished_at timestamptz
);
CREATE UNIQUE INDEX films_of_update ON films (update_id) WHERE update_id IS NOT NULL;
CREATE INDEX films_due ON films (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX films_open ON films (chat_id, user_id) WHERE is_open;
CREATE INDEX films_of_user ON films (user_id);
CREATE INDEX films_finished ON films (finished_at) WHERE finished_at IS NOT NULL;
"""

_SCRIPTS = (
    *(_TASKS, _REST, _WAKING, _SHARING, _ASIDES, _UPDATES_OF_PERSONS, _STANDARD_NAMES, _AUDIT_LOG),
    *(_TOKENS_OF_TASKS, _CANCELLATIONS, _DELETED_VIDEOS, _BATCHES, _VIDEOS_OF_PEOPLE, _BARS),
    _FILMS,
)
SCHEMA_VERSION = len(_SCRIPTS)
_ALONE = 7
"""From this script on the tables do not suit older processes, which therefore have to end before it is
applied."""


async def migrate(connection: Connection) -> None:
    """Apply what is pending. Of several processes that start together one does it, the others wait for it.

    SettingsError if the database was made by a newer Dreamreel, StartError while an older one is at work on
    it.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version bigint NOT NULL)")
        version: int = await connection.fetchval("SELECT coalesce(max(version), 0) FROM schema_version")
        if version > SCHEMA_VERSION:
            raise SettingsError("The database was made by a newer Dreamreel: update this one.")
        if 2 <= version < _ALONE and await connection.fetchval(_IS_AT_WORK):
            raise StartError("An older Dreamreel is at work on the database: stop it first.")
        for number, script in enumerate(_SCRIPTS[version:], version + 1):
            await connection.execute(script)
            await connection.execute("INSERT INTO schema_version VALUES ($1)", number)
