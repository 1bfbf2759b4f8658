-- Tasks are counted when they move, in place of whenever somebody looks; pages of a list are read by state.

CREATE TABLE status_counts (
    batch_id TEXT NOT NULL,
    status TEXT NOT NULL,
    task_count INTEGER NOT NULL,
    PRIMARY KEY (batch_id, status)
) STRICT, WITHOUT ROWID;

CREATE TABLE reason_counts (
    batch_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    task_count INTEGER NOT NULL,
    PRIMARY KEY (batch_id, outcome, reason)
) STRICT, WITHOUT ROWID;

INSERT INTO status_counts SELECT batch_id, status, count(*) FROM batch_tasks GROUP BY batch_id, status;
INSERT INTO status_counts SELECT '', status, count(*) FROM tasks GROUP BY status;
INSERT INTO reason_counts SELECT batch_id, outcome, reason, count(*) FROM batch_tasks JOIN reports USING (task_id)
WHERE status IN ('DONE', 'CANCELLED') GROUP BY batch_id, outcome, reason;
INSERT INTO reason_counts SELECT '', outcome, reason, count(*) FROM tasks JOIN reports USING (task_id)
WHERE status IN ('DONE', 'CANCELLED') GROUP BY outcome, reason;

CREATE INDEX batch_tasks_by_status_and_task ON batch_tasks (batch_id, status, task_id);

CREATE TRIGGER tasks_added AFTER INSERT ON tasks
BEGIN
    INSERT INTO status_counts SELECT '', new.status, 0
    WHERE NOT EXISTS (SELECT 1 FROM status_counts WHERE batch_id = '' AND status = new.status);
    UPDATE status_counts SET task_count = task_count + 1 WHERE batch_id = '' AND status = new.status;
END;

CREATE TRIGGER tasks_moved AFTER UPDATE OF status ON tasks WHEN old.status <> new.status
BEGIN
    UPDATE status_counts SET task_count = task_count - 1 WHERE batch_id = '' AND status = old.status;
    INSERT INTO status_counts SELECT '', new.status, 0
    WHERE NOT EXISTS (SELECT 1 FROM status_counts WHERE batch_id = '' AND status = new.status);
    UPDATE status_counts SET task_count = task_count + 1 WHERE batch_id = '' AND status = new.status;
END;

CREATE TRIGGER tasks_finished AFTER UPDATE OF status ON tasks
WHEN old.status NOT IN ('DONE', 'CANCELLED') AND new.status IN ('DONE', 'CANCELLED')
BEGIN
    INSERT INTO reason_counts SELECT '', outcome, reason, 0 FROM reports WHERE task_id = new.task_id AND NOT EXISTS (
        SELECT 1 FROM reason_counts AS known
        WHERE known.batch_id = '' AND known.outcome = reports.outcome AND known.reason = reports.reason
    );
    UPDATE reason_counts SET task_count = task_count + 1 WHERE batch_id = '' AND (outcome, reason) IN (
        SELECT outcome, reason FROM reports WHERE task_id = new.task_id
    );
END;

CREATE TRIGGER tasks_reopened AFTER UPDATE OF status ON tasks
WHEN old.status IN ('DONE', 'CANCELLED') AND new.status NOT IN ('DONE', 'CANCELLED')
BEGIN
    UPDATE reason_counts SET task_count = task_count - 1 WHERE batch_id = '' AND (outcome, reason) IN (
        SELECT outcome, reason FROM reports WHERE task_id = new.task_id
    );
END;

CREATE TRIGGER batch_tasks_added AFTER INSERT ON batch_tasks
BEGIN
    INSERT INTO status_counts SELECT new.batch_id, new.status, 0
    WHERE NOT EXISTS (SELECT 1 FROM status_counts WHERE batch_id = new.batch_id AND status = new.status);
    UPDATE status_counts SET task_count = task_count + 1 WHERE batch_id = new.batch_id AND status = new.status;
END;

CREATE TRIGGER batch_tasks_added_finished AFTER INSERT ON batch_tasks WHEN new.status IN ('DONE', 'CANCELLED')
BEGIN
    INSERT INTO reason_counts SELECT new.batch_id, outcome, reason, 0 FROM reports WHERE task_id = new.task_id AND NOT EXISTS (
        SELECT 1 FROM reason_counts AS known
        WHERE known.batch_id = new.batch_id AND known.outcome = reports.outcome AND known.reason = reports.reason
    );
    UPDATE reason_counts SET task_count = task_count + 1 WHERE batch_id = new.batch_id AND (outcome, reason) IN (
        SELECT outcome, reason FROM reports WHERE task_id = new.task_id
    );
END;

CREATE TRIGGER batch_tasks_moved AFTER UPDATE OF status ON batch_tasks WHEN old.status <> new.status
BEGIN
    UPDATE status_counts SET task_count = task_count - 1 WHERE batch_id = new.batch_id AND status = old.status;
    INSERT INTO status_counts SELECT new.batch_id, new.status, 0
    WHERE NOT EXISTS (SELECT 1 FROM status_counts WHERE batch_id = new.batch_id AND status = new.status);
    UPDATE status_counts SET task_count = task_count + 1 WHERE batch_id = new.batch_id AND status = new.status;
END;

CREATE TRIGGER batch_tasks_finished AFTER UPDATE OF status ON batch_tasks
WHEN old.status NOT IN ('DONE', 'CANCELLED') AND new.status IN ('DONE', 'CANCELLED')
BEGIN
    INSERT INTO reason_counts SELECT new.batch_id, outcome, reason, 0 FROM reports WHERE task_id = new.task_id AND NOT EXISTS (
        SELECT 1 FROM reason_counts AS known
        WHERE known.batch_id = new.batch_id AND known.outcome = reports.outcome AND known.reason = reports.reason
    );
    UPDATE reason_counts SET task_count = task_count + 1 WHERE batch_id = new.batch_id AND (outcome, reason) IN (
        SELECT outcome, reason FROM reports WHERE task_id = new.task_id
    );
END;

CREATE TRIGGER batch_tasks_reopened AFTER UPDATE OF status ON batch_tasks
WHEN old.status IN ('DONE', 'CANCELLED') AND new.status NOT IN ('DONE', 'CANCELLED')
BEGIN
    UPDATE reason_counts SET task_count = task_count - 1 WHERE batch_id = new.batch_id AND (outcome, reason) IN (
        SELECT outcome, reason FROM reports WHERE task_id = new.task_id
    );
END;

CREATE TRIGGER batch_tasks_removed AFTER DELETE ON batch_tasks
BEGIN
    UPDATE status_counts SET task_count = task_count - 1 WHERE batch_id = old.batch_id AND status = old.status;
END;

CREATE TRIGGER batch_tasks_removed_finished AFTER DELETE ON batch_tasks WHEN old.status IN ('DONE', 'CANCELLED')
BEGIN
    UPDATE reason_counts SET task_count = task_count - 1 WHERE batch_id = old.batch_id AND (outcome, reason) IN (
        SELECT outcome, reason FROM reports WHERE task_id = old.task_id
    );
END;

CREATE TRIGGER batches_removed AFTER DELETE ON batches
BEGIN
    DELETE FROM status_counts WHERE batch_id = old.batch_id;
    DELETE FROM reason_counts WHERE batch_id = old.batch_id;
END;

-- A report comes after the task is over, in the same transaction, and takes the place of an earlier one.
CREATE TRIGGER reports_added AFTER INSERT ON reports
BEGIN
    INSERT INTO reason_counts SELECT lists.batch_id, new.outcome, new.reason, 0 FROM (
        SELECT '' AS batch_id FROM tasks WHERE task_id = new.task_id AND status IN ('DONE', 'CANCELLED')
        UNION ALL SELECT batch_id FROM batch_tasks WHERE task_id = new.task_id AND status IN ('DONE', 'CANCELLED')
    ) AS lists WHERE NOT EXISTS (
        SELECT 1 FROM reason_counts AS known
        WHERE known.batch_id = lists.batch_id AND known.outcome = new.outcome AND known.reason = new.reason
    );
    UPDATE reason_counts SET task_count = task_count + 1
    WHERE outcome = new.outcome AND reason = new.reason AND batch_id IN (
        SELECT '' FROM tasks WHERE task_id = new.task_id AND status IN ('DONE', 'CANCELLED')
        UNION ALL SELECT batch_id FROM batch_tasks WHERE task_id = new.task_id AND status IN ('DONE', 'CANCELLED')
    );
END;

CREATE TRIGGER reports_removed AFTER DELETE ON reports
BEGIN
    UPDATE reason_counts SET task_count = task_count - 1
    WHERE outcome = old.outcome AND reason = old.reason AND batch_id IN (
        SELECT '' FROM tasks WHERE task_id = old.task_id AND status IN ('DONE', 'CANCELLED')
        UNION ALL SELECT batch_id FROM batch_tasks WHERE task_id = old.task_id AND status IN ('DONE', 'CANCELLED')
    );
END;
