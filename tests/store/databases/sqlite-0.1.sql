BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
) STRICT;
INSERT INTO "_sqlite_migrations" VALUES(1,'dreamreel','tasks_updates_people','2026-05-04 12:00:00+00:00');
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
CREATE TABLE "chats" (
   "chat_id" INTEGER PRIMARY KEY,
   "told_at" TEXT
) STRICT;
INSERT INTO "chats" VALUES(-5,'2026-05-04T12:00:00.000000+00:00');
CREATE TABLE "people" (
   "user_id" INTEGER PRIMARY KEY,
   "role" TEXT,
   "language" TEXT,
   "told_at" TEXT
) STRICT;
INSERT INTO "people" VALUES(7,'admin','zh','2026-05-04T12:00:00.000000+00:00');
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
) STRICT;
INSERT INTO "tasks" VALUES('a2',0,NULL,1,NULL,1,'',NULL,NULL,NULL,'en','busy','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,NULL,'queued',NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T11:59:59.000000+00:00',1,NULL,1,1,NULL);
INSERT INTO "tasks" VALUES('a1',0,NULL,1,NULL,1,'',NULL,NULL,NULL,'en','busy','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,NULL,'queued',NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T11:59:58.000000+00:00',1,NULL,1,1,NULL);
INSERT INTO "tasks" VALUES('a3',0,NULL,1,NULL,1,'',NULL,NULL,NULL,'en','busy','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,NULL,'queued',NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00',1,NULL,1,1,NULL);
INSERT INTO "tasks" VALUES('b1',0,NULL,2,NULL,2,'',NULL,NULL,NULL,'en','busy','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,NULL,'queued',NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00',1,NULL,1,1,NULL);
INSERT INTO "tasks" VALUES('draft',0,NULL,3,NULL,3,'',NULL,5,NULL,'en','cloud','{"model":"jimeng-pro","prompt":"纸船","photos":[],"ratio":"16:9"}','card_draft',NULL,'draft',NULL,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00',NULL,NULL,NULL,NULL,'2026-05-04T13:00:00.000000+00:00',0,NULL,0,0,NULL);
INSERT INTO "tasks" VALUES('running',0,7,4,NULL,4,'',NULL,6,NULL,'en','cloud','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,'3.50','running','job-1',0.25,NULL,NULL,0,0,NULL,NULL,NULL,'2026-05-05T00:00:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00',NULL,NULL,'2026-05-04T12:00:05.000000+00:00',0,'2026-05-05T00:00:00.000000+00:00',1,1,NULL);
INSERT INTO "tasks" VALUES('hidden',0,NULL,4,NULL,4,'',NULL,7,NULL,'en','cloud','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,'3.50','running','job-2',NULL,NULL,NULL,1,0,NULL,NULL,NULL,'2026-05-05T00:00:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00',NULL,NULL,'2026-05-04T12:00:09.000000+00:00',0,'2026-05-05T00:00:00.000000+00:00',0,1,NULL);
INSERT INTO "tasks" VALUES('made',0,NULL,4,NULL,4,'',NULL,8,NULL,'en','cloud','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,'0.10','succeeded','job-3',NULL,NULL,NULL,0,0,NULL,NULL,'https://videos.example/1','2026-05-05T00:00:00.000000+00:00',NULL,NULL,'file-1','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:01:00.000000+00:00','2026-05-04T12:01:01.000000+00:00',NULL,0,NULL,0,1,NULL);
INSERT INTO "tasks" VALUES('failed',0,NULL,4,NULL,4,'',NULL,9,NULL,'en','cloud','{"model":"jimeng-pro","prompt":"a paper boat","photos":[]}',NULL,NULL,'failed',NULL,NULL,'submit_unknown',NULL,0,0,NULL,NULL,NULL,'2026-05-04T12:10:00.000000+00:00',NULL,NULL,NULL,'2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:00.000000+00:00','2026-05-04T12:00:30.000000+00:00','2026-05-04T12:00:31.000000+00:00',NULL,0,'2026-05-04T12:10:00.000000+00:00',0,1,NULL);
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
PRAGMA user_version = 1;
COMMIT;
