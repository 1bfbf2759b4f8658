-- Finished orders can be looked at again, and keep their reports unless they have changed.

CREATE TABLE refreshes (
    task_id TEXT NOT NULL PRIMARY KEY REFERENCES tasks (task_id),
    known TEXT NOT NULL, -- JSON: the files of the order when it was queued again
    result TEXT, -- JSON; NULL until it was looked at
    ended_at TEXT,
    CHECK ((ended_at IS NULL) = (result IS NULL))
) STRICT, WITHOUT ROWID;

ALTER TABLE files ADD COLUMN etag TEXT NOT NULL DEFAULT '';
ALTER TABLE files ADD COLUMN last_modified TEXT NOT NULL DEFAULT '';
