-- Oldest program that can use a database with this migration: 7
--
-- A list of tasks is filtered by one of these within a space: each index finds, orders and counts without reading a row.
DROP INDEX task_state;
DROP INDEX task_kind;
DROP INDEX task_project;
DROP INDEX task_environment;
CREATE INDEX task_state ON task (state, queued_at, number, id, space);
CREATE INDEX task_kind ON task (kind, queued_at, number, id, space);
CREATE INDEX task_project ON task (project, queued_at, number, id, space);
CREATE INDEX task_environment ON task (environment, queued_at, number, id, space);
