BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
) STRICT;
INSERT INTO "_sqlite_migrations" VALUES(1,'dreamreel','tasks_updates_people','2026-05-04 12:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'dreamreel','photos_and_accounts','2026-05-04 12:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'dreamreel','settings_and_recipes','2026-05-04 12:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'dreamreel','durations_and_heartbeat','2026-05-04 12:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'dreamreel','groups_that_moved','2026-05-04 12:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(6,'dreamreel','record_of_changes','2026-05-04 12:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(7,'dreamreel','tasks_by_age','2026-05-04 12:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(8,'dreamreel','statistics_and_passes','2026-05-04 12:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(9,'dreamreel','old_rows_and_marks','2026-05-04 12:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(10,'dreamreel','turns_and_slots','2026-05-04 12:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(11,'dreamreel','pauses_and_spending','2026-05-04 12:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(12,'dreamreel','limits_in_use','2026-05-04 12:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(13,'dreamreel','record_of_acts','2026-05-04 12:00:00+00:00');
CREATE TABLE "accounts" (
   "provider" TEXT PRIMARY KEY NOT NULL,
   "trouble" TEXT NOT NULL,
   "since" TEXT NOT NULL
) STRICT;
INSERT INTO "accounts" VALUES('elsewhere','no_balance','2026-05-04T12:00:00.000000+00:00');
CREATE TABLE "acts" (
   "id" INTEGER PRIMARY KEY NOT NULL,
   "verb" TEXT NOT NULL,
   "target" TEXT NOT NULL,
   "done_by" INTEGER NOT NULL,
   "done_at" TEXT NOT NULL
) STRICT;
INSERT INTO "acts" VALUES(1,'cancel','made',7,'2026-05-04T12:00:12.000000+00:00');
CREATE TABLE "attempts" (
   "id" INTEGER PRIMARY KEY NOT NULL,
   "task_id" TEXT NOT NULL REFERENCES "tasks"("id") ON DELETE CASCADE,
   "provider" TEXT NOT NULL,
   "call" TEXT NOT NULL,
   "at" TEXT NOT NULL,
   "took_s" REAL NOT NULL,
   "answer" TEXT NOT NULL,
   "detail" TEXT NOT NULL
) STRICT;
INSERT INTO "attempts" VALUES(1,'running','cloud','submit','2026-05-04T12:00:00.000000+00:00',0.5,'ok','纸');
CREATE TABLE "changes" (
   "id" INTEGER PRIMARY KEY NOT NULL,
   "subject" INTEGER NOT NULL,
   "name" TEXT NOT NULL,
   "value" TEXT,
   "changed_by" INTEGER NOT NULL,
   "changed_at" TEXT NOT NULL
) STRICT;
INSERT INTO "changes" VALUES(1,0,'CURRENCY','EUR',7,'2026-05-04T12:00:25.000000+00:00');
INSERT INTO "changes" VALUES(2,20,'role','allowed',7,'2026-05-04T12:00:20.000000+00:00');
INSERT INTO "changes" VALUES(3,0,'CURRENCY','USD',8,'2026-05-04T12:00:15.000000+00:00');
INSERT INTO "changes" VALUES(4,0,'DAILY_BUDGET','300',7,'2026-05-04T12:00:30.000000+00:00');
INSERT INTO "changes" VALUES(5,0,'DAILY_BUDGET',NULL,7,'2026-05-04T12:00:31.000000+00:00');
CREATE TABLE "chats" (
   "chat_id" INTEGER PRIMARY KEY,
   "told_at" TEXT
, "settings" TEXT NOT NULL DEFAULT '{}', "moved_from" INTEGER) STRICT;
INSERT INTO "chats" VALUES(-6,'2026-05-04T12:00:00.000000+00:00','{"model": "veo-3", "ratio": null, "seconds": null, "resolution": null, "audio": null, "language": null, "notify": true, "quiet": true}',-4);
INSERT INTO "chats" VALUES(-5,'2026-05-04T12:00:00.000000+00:00','{"model": null, "ratio": null, "seconds": null, "resolution": null, "audio": null, "language": null, "notify": true, "quiet": false}',NULL);
CREATE TABLE "durations" (
   "key" TEXT PRIMARY KEY NOT NULL,
   "learned" TEXT NOT NULL
) STRICT;
INSERT INTO "durations" VALUES('key','learned');
CREATE TABLE "heartbeat" (
   "id" INTEGER PRIMARY KEY,
   "at" TEXT NOT NULL
) STRICT;
INSERT INTO "heartbeat" VALUES(1,'2026-05-04T12:00:00.000000+00:00');
CREATE TABLE "marks" (
   "key" TEXT PRIMARY KEY NOT NULL,
   "at" TEXT NOT NULL
) STRICT;
INSERT INTO "marks" VALUES('told','2026-05-04T12:00:00.000000+00:00');
CREATE TABLE "notices" (
   "id" INTEGER PRIMARY KEY NOT NULL,
   "user_id" INTEGER NOT NULL,
   "key" TEXT NOT NULL,
   "values_json" TEXT NOT NULL
, "kept_at" TEXT) STRICT;
INSERT INTO "notices" VALUES(1,7,'trouble_over','{"minutes": "5"}','2026-05-04T12:00:00.000000+00:00');
CREATE TABLE "passes" (
   "digest" TEXT PRIMARY KEY NOT NULL,
   "kind" TEXT NOT NULL,
   "user_id" INTEGER NOT NULL,
   "expires_at" TEXT NOT NULL
) STRICT;
INSERT INTO "passes" VALUES('digest','link',7,'2058-01-10T13:46:40.000000+00:00');
CREATE TABLE "pauses" (
   "id" INTEGER PRIMARY KEY NOT NULL,
   "model" TEXT NOT NULL,
   "paused_by" INTEGER NOT NULL,
   "paused_at" TEXT NOT NULL,
   "resumed_by" INTEGER,
   "resumed_at" TEXT
) STRICT;
INSERT INTO "pauses" VALUES(1,'',0,'2026-05-04T12:00:40.000000+00:00',7,'2026-05-04T12:00:45.000000+00:00');
INSERT INTO "pauses" VALUES(2,'veo-3',7,'2026-05-04T12:00:50.000000+00:00',NULL,NULL);
CREATE TABLE "people" (
   "user_id" INTEGER PRIMARY KEY,
   "role" TEXT,
   "language" TEXT,
   "told_at" TEXT
, "companies" TEXT NOT NULL DEFAULT '[]', "crop_preview" INTEGER NOT NULL DEFAULT 1) STRICT;
INSERT INTO "people" VALUES(7,'admin','zh','2026-05-04T12:00:00.000000+00:00','[]',1);
INSERT INTO "people" VALUES(8,NULL,NULL,NULL,'["Ada"]',0);
CREATE TABLE "recipes" (
   "token" TEXT PRIMARY KEY NOT NULL,
   "task_id" TEXT NOT NULL,
   "user_id" INTEGER NOT NULL,
   "request" TEXT NOT NULL,
   "created_at" TEXT NOT NULL
) STRICT;
INSERT INTO "recipes" VALUES('token','made',4,'{"model":"m","prompt":"p","photos":[]}','2026-05-04T12:00:00.000000+00:00');
CREATE TABLE "slots" (
   "provider" TEXT PRIMARY KEY NOT NULL,
   "reached" INTEGER NOT NULL DEFAULT 0
, "jobs" INTEGER, "refusals" INTEGER, "refused_at" TEXT, "probe_at" TEXT) STRICT;
INSERT INTO "slots" VALUES('cloud',0,2,1,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:01:00.000000+00:00');
CREATE TABLE "tasks" (
   "id" TEXT PRIMARY KEY NOT NULL,
   "version" INTEGER NOT NULL,
   "update_id" INTEGER,
   "chat_id" INTEGER NOT NULL,
   "thread_id" INTEGER,
   "user_id" INTEGER NOT NULL,
   "user_name" TEXT NOT NULL,
   "message_id" INTEGER,
   "card_id" INTEGER,
   "album_id" TEXT,
   "language" TEXT NOT NULL,
   "provider" TEXT NOT NULL,
   "request" TEXT NOT NULL,
   "question" TEXT,
   "price" TEXT,
   "state" TEXT NOT NULL,
   "remote_id" TEXT,
   "progress" REAL,
   "error_code" TEXT,
   "error_detail" TEXT,
   "hidden" INTEGER NOT NULL,
   "attempts" INTEGER NOT NULL,
   "failing_since" TEXT,
   "parent_id" TEXT,
   "video_url" TEXT,
   "keep_until" TEXT,
   "late_at" TEXT,
   "sending_at" TEXT,
   "file_id" TEXT,
   "created_at" TEXT NOT NULL,
   "queued_at" TEXT,
   "submitted_at" TEXT,
   "finished_at" TEXT,
   "delivered_at" TEXT,
   "due_at" TEXT,
   "waits_for_slot" INTEGER NOT NULL,
   "slot_until" TEXT,
   "is_open" INTEGER NOT NULL,
   "counts" INTEGER NOT NULL,
   "due_before_lease" TEXT
, "card_has_photo" INTEGER NOT NULL DEFAULT 0, "passed_over" TEXT NOT NULL DEFAULT '[]', "looked_at" TEXT, "running_at" TEXT, "turn" INTEGER, "chat_turn" INTEGER) STRICT;
INSERT INTO "tasks" VALUES('a2',0,NULL,1,NULL,1,'',NULL,NULL,NULL,'en','busy','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,NULL,'queued',NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T11:59:59.000000+00:00',1,NULL,1,1,NULL,0,'[]',NULL,NULL,1,1);
INSERT INTO "tasks" VALUES('a1',0,NULL,1,NULL,1,'',NULL,NULL,NULL,'en','busy','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,NULL,'queued',NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T11:59:58.000000+00:00',1,NULL,1,1,NULL,0,'[]',NULL,NULL,2,1);
INSERT INTO "tasks" VALUES('a3',0,NULL,1,NULL,1,'',NULL,NULL,NULL,'en','busy','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,NULL,'queued',NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00',1,NULL,1,1,NULL,0,'[]',NULL,NULL,3,1);
INSERT INTO "tasks" VALUES('b1',0,NULL,2,NULL,2,'',NULL,NULL,NULL,'en','busy','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,NULL,'queued',NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00',1,NULL,1,1,NULL,0,'[]',NULL,NULL,1,1);
INSERT INTO "tasks" VALUES('draft',0,NULL,3,NULL,3,'',NULL,5,NULL,'en','cloud','{"model":"jimeng-pro","prompt":"纸船","photos":[],"ratio":"16:9"}','card_draft',NULL,'draft',NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00',NULL,NULL,NULL,NULL,'2026-05-04T13:00:00.000000+00:00',0,NULL,0,0,NULL,0,'[]',NULL,NULL,NULL,NULL);
INSERT INTO "tasks" VALUES('running',1,7,4,NULL,4,'',NULL,6,NULL,'en','cloud','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,'3.50','running','job-1',0.25,NULL,NULL,0,0,NULL,NULL,NULL,'2026-05-05T00:00:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00',NULL,NULL,'2026-05-04T12:00:05.000000+00:00',0,'2026-05-05T00:00:00.000000+00:00',1,1,NULL,0,'[]','2026-05-04T12:00:01.000000+00:00','2026-05-04T12:00:01.000000+00:00',NULL,NULL);
INSERT INTO "tasks" VALUES('hidden',0,NULL,4,NULL,4,'',NULL,7,NULL,'en','cloud','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,'3.50','running','job-2',NULL,NULL,NULL,1,0,NULL,NULL,NULL,'2026-05-05T00:00:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00',NULL,NULL,'2026-05-04T12:00:09.000000+00:00',0,'2026-05-05T00:00:00.000000+00:00',0,1,NULL,0,'[]',NULL,NULL,NULL,NULL);
INSERT INTO "tasks" VALUES('made',0,NULL,4,NULL,4,'',NULL,8,NULL,'en','cloud','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,'0.10','succeeded','job-3',NULL,NULL,NULL,0,0,NULL,NULL,'https://videos.example/1','2026-05-05T00:00:00.000000+00:00',NULL,NULL,'file-1','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:01:00.000000+00:00','2026-05-04T12:01:01.000000+00:00',NULL,0,NULL,0,1,NULL,0,'[]',NULL,NULL,NULL,NULL);
INSERT INTO "tasks" VALUES('failed',0,NULL,4,NULL,4,'',NULL,9,NULL,'en','cloud','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,NULL,'failed',NULL,NULL,'submit_unknown',NULL,0,0,NULL,NULL,NULL,'2026-05-04T12:10:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:30.000000+00:00','2026-05-04T12:00:31.000000+00:00',NULL,0,'2026-05-04T12:10:00.000000+00:00',0,1,NULL,0,'[]',NULL,NULL,NULL,NULL);
INSERT INTO "tasks" VALUES('second',0,NULL,5,NULL,5,'',NULL,11,NULL,'en','cloud','{"model":"jimeng-720p","prompt":"p","photos":[]}',NULL,NULL,'queued',NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T12:00:09.000000+00:00',1,NULL,1,1,NULL,1,'["veo-3"]',NULL,NULL,1,1);
CREATE TABLE "updates" (
   "update_id" INTEGER PRIMARY KEY NOT NULL,
   "chat_id" INTEGER NOT NULL,
   "body" TEXT NOT NULL,
   "state" TEXT NOT NULL,
   "attempts" INTEGER NOT NULL,
   "received_at" TEXT NOT NULL,
   "due_at" TEXT,
   "leased_until" TEXT
) STRICT;
INSERT INTO "updates" VALUES(1,10,'{"text": "纸船"}','open',0,'2026-05-04T12:00:00.000000+00:00',NULL,NULL);
INSERT INTO "updates" VALUES(2,10,'{}','open',0,'2026-05-04T12:00:00.000000+00:00',NULL,NULL);
INSERT INTO "updates" VALUES(3,11,'','done',0,'2026-05-04T12:00:00.000000+00:00',NULL,NULL);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX tasks_due ON tasks (waits_for_slot, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX tasks_waiting ON tasks (waits_for_slot, provider, due_at) WHERE waits_for_slot = 1;
CREATE INDEX tasks_in_slots ON tasks (provider, slot_until) WHERE slot_until IS NOT NULL;
CREATE INDEX tasks_leased ON tasks (due_before_lease) WHERE due_before_lease IS NOT NULL;
CREATE UNIQUE INDEX tasks_of_update ON tasks (update_id) WHERE update_id IS NOT NULL;
CREATE UNIQUE INDEX tasks_of_album ON tasks (chat_id, album_id) WHERE album_id IS NOT NULL;
CREATE INDEX tasks_on_card ON tasks (chat_id, card_id) WHERE card_id IS NOT NULL;
CREATE INDEX tasks_asking ON tasks (chat_id, user_id) WHERE question IS NOT NULL AND finished_at IS NULL;
CREATE INDEX tasks_open_of_user ON tasks (is_open, user_id) WHERE is_open = 1;
CREATE INDEX tasks_open_in_chat ON tasks (is_open, chat_id) WHERE is_open = 1;
CREATE INDEX tasks_counted ON tasks (counts, queued_at) WHERE counts = 1;
CREATE INDEX tasks_counted_of_user ON tasks (counts, user_id, queued_at) WHERE counts = 1;
CREATE INDEX tasks_counted_in_chat ON tasks (counts, chat_id, queued_at) WHERE counts = 1;
CREATE INDEX "attempts_of_task"
    ON "attempts" ("task_id", "at");
CREATE INDEX updates_open ON updates (state, chat_id, update_id) WHERE state = 'open';
CREATE INDEX updates_done ON updates (state, received_at) WHERE state = 'done';
CREATE INDEX "notices_of_user"
    ON "notices" ("user_id", "id");
CREATE INDEX "recipes_of_task"
    ON "recipes" ("task_id");
CREATE INDEX "recipes_of_user"
    ON "recipes" ("user_id");
CREATE INDEX tasks_made ON tasks (chat_id, user_id, finished_at) WHERE state = 'succeeded' AND delivered_at IS NOT NULL;
CREATE INDEX tasks_of_user ON tasks (user_id);
CREATE INDEX "changes_of_subject"
    ON "changes" ("subject", "name", "id");
CREATE INDEX "changes_of_name"
    ON "changes" ("name");
CREATE INDEX "tasks_by_age"
    ON "tasks" ("created_at", "id");
CREATE INDEX tasks_queued ON tasks (queued_at) WHERE queued_at IS NOT NULL;
CREATE INDEX attempts_submits ON attempts (at, id) WHERE call = 'submit';
CREATE INDEX tasks_closed ON tasks (delivered_at) WHERE delivered_at IS NOT NULL;
CREATE INDEX tasks_by_turn ON tasks (waits_for_slot, provider, turn, chat_turn) WHERE waits_for_slot = 1;
CREATE INDEX tasks_by_turn_of_user ON tasks (waits_for_slot, provider, user_id, turn) WHERE waits_for_slot = 1;
CREATE INDEX tasks_by_turn_in_chat ON tasks (waits_for_slot, provider, chat_id, turn, chat_turn) WHERE waits_for_slot = 1;
CREATE UNIQUE INDEX pauses_in_force ON pauses (model) WHERE resumed_at IS NULL;
CREATE INDEX tasks_handed_over ON tasks (submitted_at, provider) WHERE submitted_at IS NOT NULL;
CREATE INDEX tasks_paid ON tasks (counts, queued_at, user_id, price) WHERE counts = 1 AND price IS NOT NULL;
CREATE INDEX "acts_on_target"
    ON "acts" ("target", "id");
PRAGMA user_version = 13;
COMMIT;
