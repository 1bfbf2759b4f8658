-- Task 1 ended with a file, 2 waits, 3 was in the hands of a run that died, 4 lacks a file.
INSERT INTO tasks (task_id, po_number, portal_number, status, attempt_count) VALUES
    ('demo:1', 'PO1', '1', 'DONE', 1), ('demo:2', 'PO2', '2', 'QUEUED', 0), ('demo:3', 'PO3', '3', 'RUNNING', 1),
    ('demo:4', 'PO4', '4', 'DONE', 2);
INSERT INTO batch_tasks VALUES
    ('demo:1', 'list-1', 0, 'DONE', ''), ('demo:2', 'list-1', 1, 'QUEUED', ''), ('demo:3', 'list-1', 2, 'RUNNING', ''),
    ('demo:4', 'list-1', 3, 'DONE', '');
INSERT INTO rows (batch_id, position, row_no, cells, given, task_id, problem, detail) VALUES
    ('list-1', 0, 2, '["PO1"]', 'PO1', 'demo:1', NULL, ''), ('list-1', 1, 3, '["x"]', 'x', NULL, 'bad_number', 'No.');
INSERT INTO attempts (task_id, attempt, worker, started_at, ended_at, result) VALUES
    ('demo:1', 1, 'worker-1#1', '2031-05-06T07:08:09.123456+00:00', '2031-05-06T07:08:09.123456+00:00', 'all_saved'), ('demo:3', 1, 'worker-1#1', '2031-05-06T07:08:09.123456+00:00', NULL, NULL);
INSERT INTO reports VALUES
    ('demo:1', 'COMPLETED', 'all_saved', '', '{"supplier": "Acme"}', '[]', 'https://portal.example/1', NULL, 1.5,
     'Acme/PO1', '2031-05-06T07:08:09.123456+00:00'),
    ('demo:4', 'PARTIAL', 'some_files_failed', 'One is gone.', '{}', '[]', '', NULL, 1.5, 'Acme/PO4', '2031-05-06T07:08:09.123456+00:00');
INSERT INTO files (task_id, position, name, label, size_bytes, sha256, media_type, source_url) VALUES
    ('demo:1', 0, 'a.pdf', 'a', 3, 'ab', 'application/pdf', '');
INSERT INTO missed VALUES ('demo:4', 0, 'b', '', 'It was gone.', 1);
INSERT INTO transitions (machine, entity, origin, event, target, at, cause) VALUES
    ('task', 'demo:1', 'QUEUED', 'ASSIGN', 'ASSIGNED', '2031-05-06T07:08:09.123456+00:00', ''),
    ('task', 'demo:1', 'ASSIGNED', 'START', 'RUNNING', '2031-05-06T07:08:09.123456+00:00', ''),
    ('task', 'demo:1', 'RUNNING', 'FINISH', 'DONE', '2031-05-06T07:08:09.123456+00:00', 'all_saved'),
    ('task', 'demo:3', 'QUEUED', 'ASSIGN', 'ASSIGNED', '2031-05-06T07:08:09.123456+00:00', ''),
    ('task', 'demo:3', 'ASSIGNED', 'START', 'RUNNING', '2031-05-06T07:08:09.123456+00:00', ''),
    ('task', 'demo:4', 'QUEUED', 'ASSIGN', 'ASSIGNED', '2031-05-06T07:08:09.123456+00:00', ''),
    ('task', 'demo:4', 'ASSIGNED', 'FINISH', 'DONE', '2031-05-06T07:08:09.123456+00:00', 'some_files_failed');
