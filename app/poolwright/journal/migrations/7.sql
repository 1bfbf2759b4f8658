-- Orders keep the cells of the user's list that name their folders.

ALTER TABLE tasks ADD COLUMN cells TEXT NOT NULL DEFAULT '{}';
