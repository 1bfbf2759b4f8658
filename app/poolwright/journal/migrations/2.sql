-- Lists can be extended, and tasks have a payload and a time limit. Journals of this version differ in one index.

CREATE TABLE new_batches (
    batch_id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    columns TEXT NOT NULL,
    notices TEXT NOT NULL,
    accepted_at TEXT NOT NULL,
    next_position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO new_batches SELECT batch_id, source, columns, notices, accepted_at, (
    SELECT coalesce(max(position) + 1, 0) FROM batch_tasks WHERE batch_tasks.batch_id = batches.batch_id
) FROM batches;
DROP TABLE batches;
ALTER TABLE new_batches RENAME TO batches;

ALTER TABLE tasks ADD COLUMN payload TEXT NOT NULL DEFAULT 'null';
ALTER TABLE tasks ADD COLUMN timeout_s REAL CHECK (timeout_s > 0);
