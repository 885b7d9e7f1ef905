-- Oldest program that can use a database with this migration: 1
--
-- Questions that tasks wait for people to answer, and output variables by the ticket that set them.

CREATE TABLE interruption (
    id      TEXT PRIMARY KEY,
    task    TEXT NOT NULL REFERENCES task (id),
    pending INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    body    TEXT NOT NULL,
    sum     INTEGER
) STRICT;
CREATE INDEX interruption_number ON interruption (number, id);
CREATE INDEX interruption_task ON interruption (task, number, id);
CREATE INDEX interruption_pending ON interruption (number, id) WHERE pending = 1;

CREATE TABLE output (
    ticket TEXT PRIMARY KEY REFERENCES ticket (id),
    task   TEXT NOT NULL REFERENCES task (id),
    body   TEXT NOT NULL,
    sum    INTEGER
) STRICT;
CREATE INDEX output_task ON output (task, ticket);
