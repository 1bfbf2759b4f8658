-- Tables of the journal, version 7. A new file is created with this script in one transaction. Journals of earlier
-- versions are migrated with the scripts in migrations/, and a test compares the results: a change here needs a new
-- script there and a new version.
-- Moments are ISO 8601 texts in UTC of equal length; lists and mappings are JSON. The values allowed by a CHECK are the
-- members of an enum in app/poolwright/domain/states.py or app/poolwright/domain/outcomes.py, and a test compares them.
-- Reasons have no CHECK, because new versions add some; a journal is searched for unknown reasons when it is opened.

PRAGMA application_id = 1349480300; -- "Pool"
PRAGMA user_version = 7;

-- The lists of the user, with all their contents.
CREATE TABLE batches (
    batch_id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    columns TEXT NOT NULL,
    notices TEXT NOT NULL,
    accepted_at TEXT NOT NULL, -- when it was accepted last
    next_position INTEGER NOT NULL -- position of the next task of the list
) STRICT, WITHOUT ROWID;

CREATE TABLE rows (
    batch_id TEXT NOT NULL REFERENCES batches (batch_id),
    position INTEGER NOT NULL,
    row_no INTEGER NOT NULL,
    cells TEXT NOT NULL,
    given TEXT NOT NULL,
    task_id TEXT REFERENCES tasks (task_id),
    problem TEXT, -- a reason
    detail TEXT NOT NULL,
    number_places TEXT, -- JSON: positions of cells with a number, a date or a time; NULL if the list has no types
    PRIMARY KEY (batch_id, position)
) STRICT, WITHOUT ROWID;

-- One order of one portal, in any number of lists. Never deleted.
CREATE TABLE tasks (
    task_id TEXT NOT NULL PRIMARY KEY,
    po_number TEXT NOT NULL,
    portal_number TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('QUEUED', 'ASSIGNED', 'RUNNING', 'DONE', 'CANCELLED')),
    attempt_count INTEGER NOT NULL DEFAULT 0 CHECK (attempt_count >= 0),
    death_count INTEGER NOT NULL DEFAULT 0 CHECK (death_count >= 0),
    not_before TEXT NOT NULL DEFAULT '', -- empty if it is due; sorts before every moment
    payload TEXT NOT NULL DEFAULT 'null', -- JSON, for a custom processor
    timeout_s REAL CHECK (timeout_s > 0), -- NULL for the default of the workers
    group_name TEXT NOT NULL DEFAULT '', -- its group in the user's list; empty if it has none
    cells TEXT NOT NULL DEFAULT '{}' -- JSON: cells of the user's list that name its folder, by column
) STRICT, WITHOUT ROWID;

-- Groups of a portal whose orders are not processed until a person resumes them.
CREATE TABLE groups_set_aside (
    portal TEXT NOT NULL, -- as it begins the ids of its orders, with the colon
    group_name TEXT NOT NULL,
    cause TEXT NOT NULL, -- whole sentences
    set_aside_at TEXT NOT NULL,
    PRIMARY KEY (portal, group_name)
) STRICT, WITHOUT ROWID;

-- For the number of tasks in each state, pages of one state, and the tasks that a crashed run had claimed.
CREATE INDEX tasks_by_status ON tasks (status, task_id);

-- The tasks of a list, in its order. Status and not_before are copied from the task and kept equal by the trigger, so
-- that the next due task is found with one step in one index, however many tasks are done or in other lists.
CREATE TABLE batch_tasks (
    task_id TEXT NOT NULL REFERENCES tasks (task_id),
    batch_id TEXT NOT NULL REFERENCES batches (batch_id),
    position INTEGER NOT NULL,
    status TEXT NOT NULL,
    not_before TEXT NOT NULL,
    PRIMARY KEY (task_id, batch_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX batch_tasks_by_status ON batch_tasks (batch_id, status, position, not_before);

-- For pages of the orders of a list.
CREATE INDEX batch_tasks_by_task ON batch_tasks (batch_id, task_id);

CREATE TRIGGER tasks_mirrored AFTER UPDATE OF status, not_before ON tasks
BEGIN
    UPDATE batch_tasks SET status = new.status, not_before = new.not_before WHERE task_id = new.task_id;
END;

-- Every attempt, also those before a task was reopened. A row is written before the work begins, and closed with the
-- reason of its end or return, or with 'lost' if its run crashed.
CREATE TABLE attempts (
    attempt_id INTEGER PRIMARY KEY,
    task_id TEXT NOT NULL REFERENCES tasks (task_id),
    attempt INTEGER NOT NULL CHECK (attempt >= 1),
    worker TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    result TEXT, -- a Reason, a ReturnReason, or 'lost'
    is_spent INTEGER NOT NULL DEFAULT 1 CHECK (is_spent IN (0, 1)),
    CHECK ((ended_at IS NULL) = (result IS NULL))
) STRICT;

-- At most one open attempt for each task; also finds it.
CREATE UNIQUE INDEX attempts_open ON attempts (task_id) WHERE ended_at IS NULL;

-- The outcome of a task. A reopened task keeps its report, whose files still exist, until the next one replaces it.
CREATE TABLE reports (
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

-- For failures by reason, latest first, and for pages of one reason or outcome, without reading other reports.
CREATE INDEX reports_by_reason ON reports (reason, finished_at);
CREATE INDEX reports_by_reason_and_task ON reports (reason, task_id);
CREATE INDEX reports_by_outcome_and_task ON reports (outcome, task_id);

CREATE TABLE files (
    task_id TEXT NOT NULL REFERENCES reports (task_id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    label TEXT NOT NULL,
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
    sha256 TEXT NOT NULL,
    media_type TEXT NOT NULL,
    source_url TEXT NOT NULL,
    etag TEXT NOT NULL DEFAULT '', -- empty if the portal told none
    last_modified TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (task_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE missed (
    task_id TEXT NOT NULL REFERENCES reports (task_id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    label TEXT NOT NULL,
    source_url TEXT NOT NULL,
    problem TEXT NOT NULL,
    is_retryable INTEGER NOT NULL CHECK (is_retryable IN (0, 1)),
    PRIMARY KEY (task_id, position)
) STRICT, WITHOUT ROWID;

-- Every transition of every state machine, in the order of recording.
CREATE TABLE transitions (
    transition_id INTEGER PRIMARY KEY,
    machine TEXT NOT NULL,
    entity TEXT NOT NULL,
    origin TEXT NOT NULL,
    event TEXT NOT NULL,
    target TEXT NOT NULL,
    at TEXT NOT NULL,
    cause TEXT NOT NULL
) STRICT;

CREATE INDEX transitions_by_entity ON transitions (machine, entity);

-- The account of the orders of each portal, whose name begins their ids. With another account or address, the
-- same number may be another order.
CREATE TABLE accounts (
    portal TEXT NOT NULL PRIMARY KEY,
    address TEXT NOT NULL,
    profile TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Finished tasks that are, or were last, looked at again. Such a task keeps its report unless it has changed.
CREATE TABLE refreshes (
    task_id TEXT NOT NULL PRIMARY KEY REFERENCES tasks (task_id),
    known TEXT NOT NULL, -- JSON: the files of the order when it was queued again
    result TEXT, -- JSON; NULL until it was looked at
    ended_at TEXT,
    CHECK ((ended_at IS NULL) = (result IS NULL))
) STRICT, WITHOUT ROWID;
