-- Oldest program that can use a database with this migration: 1
--
-- Files that scripts handed over: what is known of them; the content lies in the home. They go with their deployment.

CREATE TABLE artifact (
    id         TEXT PRIMARY KEY,
    task       TEXT NOT NULL REFERENCES task (id),
    deployment TEXT REFERENCES deployment (id) ON DELETE CASCADE,
    sha256     TEXT NOT NULL,
    size       INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    body       TEXT NOT NULL,
    sum        INTEGER
) STRICT;
CREATE INDEX artifact_number ON artifact (number, id);
CREATE INDEX artifact_task ON artifact (task, number, id);
CREATE INDEX artifact_deployment ON artifact (deployment);
CREATE INDEX artifact_content ON artifact (sha256, size);
