-- Oldest program that can use a database with this migration: 7
--
-- Spaces beside the default one. Packages are told apart by their space, tasks and events are found by it;
-- an event of '' is about the installation, and so are those from before.

CREATE TABLE space (
    id     TEXT PRIMARY KEY,
    folded TEXT NOT NULL,
    body   TEXT NOT NULL,
    sum    INTEGER
) STRICT;
CREATE UNIQUE INDEX space_name ON space (folded);

CREATE TABLE package_of_space (
    space        TEXT NOT NULL,
    folded       TEXT NOT NULL,
    version      TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    body         TEXT NOT NULL,
    sum          INTEGER,
    PRIMARY KEY (space, folded, version)
) STRICT;
INSERT INTO package_of_space SELECT 'Spaces-1', folded, version, published_at, sha256, body, sum FROM package;
DROP TABLE package;
ALTER TABLE package_of_space RENAME TO package;
CREATE INDEX package_order ON package (folded, published_at DESC, version DESC, space);
CREATE INDEX package_space ON package (space, folded, published_at DESC, version DESC);
CREATE INDEX package_content ON package (sha256);

ALTER TABLE task ADD COLUMN space TEXT NOT NULL DEFAULT 'Spaces-1';
CREATE INDEX task_space ON task (space, queued_at, number, id);

ALTER TABLE event ADD COLUMN space TEXT NOT NULL DEFAULT '';
CREATE INDEX event_space ON event (space, number);
