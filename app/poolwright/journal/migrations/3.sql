-- Reasons lose their CHECKs, indexes are replaced, and the orders of a portal belong to an account.

CREATE TABLE new_rows (
    batch_id TEXT NOT NULL REFERENCES batches (batch_id),
    position INTEGER NOT NULL,
    row_no INTEGER NOT NULL,
    cells TEXT NOT NULL,
    given TEXT NOT NULL,
    task_id TEXT REFERENCES tasks (task_id),
    problem TEXT,
    detail TEXT NOT NULL,
    PRIMARY KEY (batch_id, position)
) STRICT, WITHOUT ROWID;

INSERT INTO new_rows SELECT batch_id, position, row_no, cells, given, task_id, problem, detail FROM rows;
DROP TABLE rows;
ALTER TABLE new_rows RENAME TO rows;

CREATE TABLE new_attempts (
    attempt_id INTEGER PRIMARY KEY,
    task_id TEXT NOT NULL REFERENCES tasks (task_id),
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    worker TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    result TEXT,
    is_spent INTEGER NOT NULL DEFAULT 1 CHECK (is_spent IN (0, 1)),
    CHECK ((ended_at IS NULL) = (result IS NULL))
) STRICT;

INSERT INTO new_attempts SELECT attempt_id, task_id, attempt, worker, started_at, ended_at, result, is_spent
FROM attempts;
DROP TABLE attempts;
ALTER TABLE new_attempts RENAME TO attempts;
CREATE UNIQUE INDEX attempts_open ON attempts (task_id) WHERE ended_at IS NULL;

CREATE TABLE new_reports (
    task_id TEXT NOT NULL PRIMARY KEY REFERENCES tasks (task_id),
    outcome TEXT NOT NULL CHECK (outcome IN (
        'COMPLETED', 'PARTIAL', 'NO_ATTACHMENTS', 'NOT_FOUND', 'FORBIDDEN', 'INVALID', 'FAILED', 'QUARANTINED',
        'CANCELLED'
    )),
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    fields TEXT NOT NULL,
    evidence TEXT NOT NULL,
    page_url TEXT NOT NULL,
    retry_after_s REAL,
    duration_s REAL NOT NULL,
    folder TEXT NOT NULL,
    finished_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO new_reports SELECT task_id, outcome, reason, detail, fields, evidence, page_url, retry_after_s, duration_s,
folder, finished_at FROM reports;
DROP TABLE reports;
ALTER TABLE new_reports RENAME TO reports;
CREATE INDEX reports_by_reason ON reports (reason, finished_at);
CREATE INDEX reports_by_reason_and_task ON reports (reason, task_id);
CREATE INDEX reports_by_outcome_and_task ON reports (outcome, task_id);

DROP INDEX IF EXISTS tasks_claimed;
DROP INDEX IF EXISTS tasks_by_status;
CREATE INDEX tasks_by_status ON tasks (status, task_id);
DROP INDEX IF EXISTS batch_tasks_by_task;
CREATE INDEX batch_tasks_by_task ON batch_tasks (batch_id, task_id);

CREATE TABLE accounts (
    portal TEXT NOT NULL PRIMARY KEY,
    address TEXT NOT NULL,
    profile TEXT NOT NULL
) STRICT, WITHOUT ROWID;
