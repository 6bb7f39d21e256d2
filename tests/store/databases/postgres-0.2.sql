-- The tables of 0.2 and a few rows of each.
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

-- What each account's slots have come to, and how many there are. Whoever counts or fills them holds the row.
CREATE TABLE slots (
    provider text COLLATE "C" PRIMARY KEY,
    reached bigint NOT NULL DEFAULT 0,
    jobs bigint,
    refusals bigint,
    refused_at timestamptz,
    probe_at timestamptz
);
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
-- Who stored, saved or claimed a task last: whose the card is to count.
ALTER TABLE tasks ADD COLUMN moved_by text;
CREATE UNLOGGED TABLE leases (name text PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL);
CREATE TABLE schema_version (version bigint NOT NULL);
INSERT INTO tasks (id, version, update_id, chat_id, thread_id, user_id, user_name, message_id, card_id, card_has_photo, album_id, language, provider, request, question, price, state, remote_id, progress, error_code, error_detail, hidden, attempts, failing_since, parent_id, passed_over, video_url, keep_until, looked_at, running_at, late_at, sending_at, file_id, created_at, queued_at, submitted_at, finished_at, delivered_at, due_at, waits_for_slot, slot_until, is_open, counts, due_before_lease, leased_by, turn, chat_turn, moved_by) VALUES ('a2', '0', NULL, '1', NULL, '1', '', NULL, NULL, 'false', NULL, 'en', 'busy', '{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}', NULL, NULL, 'queued', NULL, NULL, NULL, NULL, 'false', '0', NULL, NULL, '[]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-05-04 12:00:00+00', '2026-05-04 12:00:00+00', NULL, NULL, NULL, '2026-05-04 11:59:59+00', 'true', NULL, 'true', 'true', NULL, NULL, '1', '1', '649ac4396e81b4ac');
INSERT INTO tasks (id, version, update_id, chat_id, thread_id, user_id, user_name, message_id, card_id, card_has_photo, album_id, language, provider, request, question, price, state, remote_id, progress, error_code, error_detail, hidden, attempts, failing_since, parent_id, passed_over, video_url, keep_until, looked_at, running_at, late_at, sending_at, file_id, created_at, queued_at, submitted_at, finished_at, delivered_at, due_at, waits_for_slot, slot_until, is_open, counts, due_before_lease, leased_by, turn, chat_turn, moved_by) VALUES ('a1', '0', NULL, '1', NULL, '1', '', NULL, NULL, 'false', NULL, 'en', 'busy', '{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}', NULL, NULL, 'queued', NULL, NULL, NULL, NULL, 'false', '0', NULL, NULL, '[]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-05-04 12:00:00+00', '2026-05-04 12:00:00+00', NULL, NULL, NULL, '2026-05-04 11:59:58+00', 'true', NULL, 'true', 'true', NULL, NULL, '2', '1', '649ac4396e81b4ac');
INSERT INTO tasks (id, version, update_id, chat_id, thread_id, user_id, user_name, message_id, card_id, card_has_photo, album_id, language, provider, request, question, price, state, remote_id, progress, error_code, error_detail, hidden, attempts, failing_since, parent_id, passed_over, video_url, keep_until, looked_at, running_at, late_at, sending_at, file_id, created_at, queued_at, submitted_at, finished_at, delivered_at, due_at, waits_for_slot, slot_until, is_open, counts, due_before_lease, leased_by, turn, chat_turn, moved_by) VALUES ('a3', '0', NULL, '1', NULL, '1', '', NULL, NULL, 'false', NULL, 'en', 'busy', '{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}', NULL, NULL, 'queued', NULL, NULL, NULL, NULL, 'false', '0', NULL, NULL, '[]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-05-04 12:00:00+00', '2026-05-04 12:00:00+00', NULL, NULL, NULL, '2026-05-04 12:00:00+00', 'true', NULL, 'true', 'true', NULL, NULL, '3', '1', '649ac4396e81b4ac');
INSERT INTO tasks (id, version, update_id, chat_id, thread_id, user_id, user_name, message_id, card_id, card_has_photo, album_id, language, provider, request, question, price, state, remote_id, progress, error_code, error_detail, hidden, attempts, failing_since, parent_id, passed_over, video_url, keep_until, looked_at, running_at, late_at, sending_at, file_id, created_at, queued_at, submitted_at, finished_at, delivered_at, due_at, waits_for_slot, slot_until, is_open, counts, due_before_lease, leased_by, turn, chat_turn, moved_by) VALUES ('b1', '0', NULL, '2', NULL, '2', '', NULL, NULL, 'false', NULL, 'en', 'busy', '{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}', NULL, NULL, 'queued', NULL, NULL, NULL, NULL, 'false', '0', NULL, NULL, '[]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-05-04 12:00:00+00', '2026-05-04 12:00:00+00', NULL, NULL, NULL, '2026-05-04 12:00:00+00', 'true', NULL, 'true', 'true', NULL, NULL, '1', '1', '649ac4396e81b4ac');
INSERT INTO tasks (id, version, update_id, chat_id, thread_id, user_id, user_name, message_id, card_id, card_has_photo, album_id, language, provider, request, question, price, state, remote_id, progress, error_code, error_detail, hidden, attempts, failing_since, parent_id, passed_over, video_url, keep_until, looked_at, running_at, late_at, sending_at, file_id, created_at, queued_at, submitted_at, finished_at, delivered_at, due_at, waits_for_slot, slot_until, is_open, counts, due_before_lease, leased_by, turn, chat_turn, moved_by) VALUES ('draft', '0', NULL, '3', NULL, '3', '', NULL, '5', 'false', NULL, 'en', 'cloud', '{"model":"jimeng-pro","prompt":"纸船","photos":[],"ratio":"16:9"}', 'card_draft', NULL, 'draft', NULL, NULL, NULL, NULL, 'false', '0', NULL, NULL, '[]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-05-04 12:00:00+00', NULL, NULL, NULL, NULL, '2026-05-04 13:00:00+00', 'false', NULL, 'false', 'false', NULL, NULL, NULL, NULL, '649ac4396e81b4ac');
INSERT INTO tasks (id, version, update_id, chat_id, thread_id, user_id, user_name, message_id, card_id, card_has_photo, album_id, language, provider, request, question, price, state, remote_id, progress, error_code, error_detail, hidden, attempts, failing_since, parent_id, passed_over, video_url, keep_until, looked_at, running_at, late_at, sending_at, file_id, created_at, queued_at, submitted_at, finished_at, delivered_at, due_at, waits_for_slot, slot_until, is_open, counts, due_before_lease, leased_by, turn, chat_turn, moved_by) VALUES ('running', '1', '7', '4', NULL, '4', '', NULL, '6', 'false', NULL, 'en', 'cloud', '{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}', NULL, '3.50', 'running', 'job-1', '0.25', NULL, NULL, 'false', '0', NULL, NULL, '[]', NULL, '2026-05-05 00:00:00+00', '2026-05-04 12:00:01+00', '2026-05-04 12:00:01+00', NULL, NULL, NULL, '2026-05-04 12:00:00+00', '2026-05-04 12:00:00+00', '2026-05-04 12:00:00+00', NULL, NULL, '2026-05-04 12:00:05+00', 'false', '2026-05-05 00:00:00+00', 'true', 'true', NULL, NULL, NULL, NULL, '649ac4396e81b4ac');
INSERT INTO tasks (id, version, update_id, chat_id, thread_id, user_id, user_name, message_id, card_id, card_has_photo, album_id, language, provider, request, question, price, state, remote_id, progress, error_code, error_detail, hidden, attempts, failing_since, parent_id, passed_over, video_url, keep_until, looked_at, running_at, late_at, sending_at, file_id, created_at, queued_at, submitted_at, finished_at, delivered_at, due_at, waits_for_slot, slot_until, is_open, counts, due_before_lease, leased_by, turn, chat_turn, moved_by) VALUES ('hidden', '0', NULL, '4', NULL, '4', '', NULL, '7', 'false', NULL, 'en', 'cloud', '{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}', NULL, '3.50', 'running', 'job-2', NULL, NULL, NULL, 'true', '0', NULL, NULL, '[]', NULL, '2026-05-05 00:00:00+00', NULL, NULL, NULL, NULL, NULL, '2026-05-04 12:00:00+00', '2026-05-04 12:00:00+00', '2026-05-04 12:00:00+00', NULL, NULL, '2026-05-04 12:00:09+00', 'false', '2026-05-05 00:00:00+00', 'false', 'true', NULL, NULL, NULL, NULL, '649ac4396e81b4ac');
INSERT INTO tasks (id, version, update_id, chat_id, thread_id, user_id, user_name, message_id, card_id, card_has_photo, album_id, language, provider, request, question, price, state, remote_id, progress, error_code, error_detail, hidden, attempts, failing_since, parent_id, passed_over, video_url, keep_until, looked_at, running_at, late_at, sending_at, file_id, created_at, queued_at, submitted_at, finished_at, delivered_at, due_at, waits_for_slot, slot_until, is_open, counts, due_before_lease, leased_by, turn, chat_turn, moved_by) VALUES ('made', '0', NULL, '4', NULL, '4', '', NULL, '8', 'false', NULL, 'en', 'cloud', '{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}', NULL, '0.10', 'succeeded', 'job-3', NULL, NULL, NULL, 'false', '0', NULL, NULL, '[]', 'https://videos.example/1', '2026-05-05 00:00:00+00', NULL, NULL, NULL, NULL, 'file-1', '2026-05-04 12:00:00+00', '2026-05-04 12:00:00+00', '2026-05-04 12:00:00+00', '2026-05-04 12:01:00+00', '2026-05-04 12:01:01+00', NULL, 'false', NULL, 'false', 'true', NULL, NULL, NULL, NULL, '649ac4396e81b4ac');
INSERT INTO tasks (id, version, update_id, chat_id, thread_id, user_id, user_name, message_id, card_id, card_has_photo, album_id, language, provider, request, question, price, state, remote_id, progress, error_code, error_detail, hidden, attempts, failing_since, parent_id, passed_over, video_url, keep_until, looked_at, running_at, late_at, sending_at, file_id, created_at, queued_at, submitted_at, finished_at, delivered_at, due_at, waits_for_slot, slot_until, is_open, counts, due_before_lease, leased_by, turn, chat_turn, moved_by) VALUES ('failed', '0', NULL, '4', NULL, '4', '', NULL, '9', 'false', NULL, 'en', 'cloud', '{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}', NULL, NULL, 'failed', NULL, NULL, 'submit_unknown', NULL, 'false', '0', NULL, NULL, '[]', NULL, '2026-05-04 12:10:00+00', NULL, NULL, NULL, NULL, NULL, '2026-05-04 12:00:00+00', '2026-05-04 12:00:00+00', '2026-05-04 12:00:00+00', '2026-05-04 12:00:30+00', '2026-05-04 12:00:31+00', NULL, 'false', '2026-05-04 12:10:00+00', 'false', 'true', NULL, NULL, NULL, NULL, '649ac4396e81b4ac');
INSERT INTO tasks (id, version, update_id, chat_id, thread_id, user_id, user_name, message_id, card_id, card_has_photo, album_id, language, provider, request, question, price, state, remote_id, progress, error_code, error_detail, hidden, attempts, failing_since, parent_id, passed_over, video_url, keep_until, looked_at, running_at, late_at, sending_at, file_id, created_at, queued_at, submitted_at, finished_at, delivered_at, due_at, waits_for_slot, slot_until, is_open, counts, due_before_lease, leased_by, turn, chat_turn, moved_by) VALUES ('second', '0', NULL, '5', NULL, '5', '', NULL, '11', 'true', NULL, 'en', 'cloud', '{"model":"jimeng-720p","prompt":"p","photos":[]}', NULL, NULL, 'queued', NULL, NULL, NULL, NULL, 'false', '0', NULL, NULL, '["veo-3"]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-05-04 12:00:00+00', '2026-05-04 12:00:00+00', NULL, NULL, NULL, '2026-05-04 12:00:09+00', 'true', NULL, 'true', 'true', NULL, NULL, '1', '1', '649ac4396e81b4ac');
INSERT INTO accounts (provider, trouble, since) VALUES ('elsewhere', 'no_balance', '2026-05-04 12:00:00+00');
INSERT INTO acts (verb, target, done_by, done_at) VALUES ('cancel', 'made', '7', '2026-05-04 12:00:12+00');
INSERT INTO attempts (task_id, provider, call, at, took_s, answer, detail) VALUES ('running', 'cloud', 'submit', '2026-05-04 12:00:00+00', '0.5', 'ok', '纸');
INSERT INTO changes (subject, name, value, changed_by, changed_at) VALUES ('0', 'CURRENCY', 'EUR', '7', '2026-05-04 12:00:25+00');
INSERT INTO changes (subject, name, value, changed_by, changed_at) VALUES ('20', 'role', 'allowed', '7', '2026-05-04 12:00:20+00');
INSERT INTO changes (subject, name, value, changed_by, changed_at) VALUES ('0', 'CURRENCY', 'USD', '8', '2026-05-04 12:00:15+00');
INSERT INTO changes (subject, name, value, changed_by, changed_at) VALUES ('0', 'DAILY_BUDGET', '300', '7', '2026-05-04 12:00:30+00');
INSERT INTO changes (subject, name, value, changed_by, changed_at) VALUES ('0', 'DAILY_BUDGET', NULL, '7', '2026-05-04 12:00:31+00');
INSERT INTO chats (chat_id, told_at, settings, moved_from) VALUES ('-5', '2026-05-04 12:00:00+00', '{"model": null, "ratio": null, "seconds": null, "resolution": null, "audio": null, "language": null, "notify": true, "quiet": false}', NULL);
INSERT INTO chats (chat_id, told_at, settings, moved_from) VALUES ('-6', '2026-05-04 12:00:00+00', '{"model": "veo-3", "ratio": null, "seconds": null, "resolution": null, "audio": null, "language": null, "notify": true, "quiet": true}', '-4');
INSERT INTO durations (key, learned) VALUES ('key', 'learned');
INSERT INTO heartbeat (id, at) VALUES ('1', '2026-05-04 12:00:00+00');
INSERT INTO marks (key, at) VALUES ('told', '2026-05-04 12:00:00+00');
INSERT INTO notices (user_id, key, values_json, kept_at) VALUES ('7', 'trouble_over', '{"minutes": "5"}', '2026-05-04 12:00:00+00');
INSERT INTO passes (digest, kind, user_id, expires_at) VALUES ('digest', 'link', '7', '2058-01-10 13:46:40+00');
INSERT INTO pauses (model, paused_by, paused_at, resumed_by, resumed_at) VALUES ('', '0', '2026-05-04 12:00:40+00', '7', '2026-05-04 12:00:45+00');
INSERT INTO pauses (model, paused_by, paused_at, resumed_by, resumed_at) VALUES ('veo-3', '7', '2026-05-04 12:00:50+00', NULL, NULL);
INSERT INTO people (user_id, role, language, told_at, companies, crop_preview) VALUES ('7', 'admin', 'zh', '2026-05-04 12:00:00+00', '[]', 'true');
INSERT INTO people (user_id, role, language, told_at, companies, crop_preview) VALUES ('8', NULL, NULL, NULL, '["Ada"]', 'false');
INSERT INTO recipes (token, task_id, user_id, request, created_at) VALUES ('token', 'made', '4', '{"model":"m","prompt":"p","photos":[]}', '2026-05-04 12:00:00+00');
INSERT INTO schema_version (version) VALUES ('1');
INSERT INTO schema_version (version) VALUES ('2');
INSERT INTO schema_version (version) VALUES ('3');
INSERT INTO schema_version (version) VALUES ('4');
INSERT INTO slots (provider, reached, jobs, refusals, refused_at, probe_at) VALUES ('busy', '0', NULL, NULL, NULL, NULL);
INSERT INTO slots (provider, reached, jobs, refusals, refused_at, probe_at) VALUES ('cloud', '0', '2', '1', '2026-05-04 12:00:00+00', '2026-05-04 12:01:00+00');
INSERT INTO updates (update_id, chat_id, body, state, attempts, received_at, due_at, leased_until, leased_by) VALUES ('1', '10', '{"text": "纸船"}', 'open', '0', '2026-05-04 12:00:00+00', NULL, NULL, NULL);
INSERT INTO updates (update_id, chat_id, body, state, attempts, received_at, due_at, leased_until, leased_by) VALUES ('2', '10', '{}', 'open', '0', '2026-05-04 12:00:00+00', NULL, NULL, NULL);
INSERT INTO updates (update_id, chat_id, body, state, attempts, received_at, due_at, leased_until, leased_by) VALUES ('3', '11', '', 'done', '0', '2026-05-04 12:00:00+00', NULL, NULL, NULL);
