-- Orders have a group, and groups of a portal can be set aside.

ALTER TABLE tasks ADD COLUMN group_name TEXT NOT NULL DEFAULT '';

CREATE TABLE groups_set_aside (
    portal TEXT NOT NULL,
    group_name TEXT NOT NULL,
    cause TEXT NOT NULL,
    set_aside_at TEXT NOT NULL,
    PRIMARY KEY (portal, group_name)
) STRICT, WITHOUT ROWID;
