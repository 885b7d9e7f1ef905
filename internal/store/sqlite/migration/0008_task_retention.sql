-- Oldest program that can use a database with this migration: 7
--
-- What retention looks at of tasks, without a look at rows that hold plans.

CREATE INDEX task_ended ON task (space, completed_at, number, id, kind, state);
