-- Oldest program that can use a database with this migration: 1
--
-- What a dashboard shows of a deployment, its release and its task, without a look at rows that hold plans and snapshots.

CREATE INDEX deployment_stand ON deployment (id, project, environment, release, task, created_at);
CREATE INDEX release_number ON release (id, version);
CREATE INDEX task_stand ON task (id, state, queued_at, completed_at);
