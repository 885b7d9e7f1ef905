-- Oldest program that can use a database with this migration: 1
--
-- How tables are made here: columns hold keys, unique rules, filters and sort keys, and every one
-- of them is in an index, so that an integrity check compares it. The rest is JSON in body, and
-- sum is its CRC-32C (NULL: not sealed, after a migration that rewrote it). "folded" is a name in
-- lower case, folded by Go; "number" is the number at the end of an id. Times in columns are
-- microseconds since 1970 UTC, 0 for none.

CREATE TABLE home (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    is_clean INTEGER NOT NULL CHECK (is_clean IN (0, 1))
) STRICT;
INSERT INTO home (id, is_clean) VALUES (1, 1);

CREATE TABLE installation (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL,
    sum  INTEGER
) STRICT;

CREATE TABLE counter (
    collection TEXT PRIMARY KEY,
    body       TEXT NOT NULL,
    sum        INTEGER
) STRICT;

CREATE TABLE environment (
    id         TEXT PRIMARY KEY,
    space      TEXT NOT NULL,
    folded     TEXT NOT NULL,
    sort_order INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    body       TEXT NOT NULL,
    sum        INTEGER
) STRICT;
CREATE UNIQUE INDEX environment_name ON environment (space, folded);
CREATE INDEX environment_order ON environment (space, sort_order, folded, number, id);

CREATE TABLE machine (
    id     TEXT PRIMARY KEY,
    space  TEXT NOT NULL,
    folded TEXT NOT NULL,
    pin    TEXT NOT NULL,
    number INTEGER NOT NULL,
    body   TEXT NOT NULL,
    sum    INTEGER
) STRICT;
CREATE UNIQUE INDEX machine_name ON machine (space, folded);
CREATE UNIQUE INDEX machine_pin ON machine (pin) WHERE pin <> '';
CREATE INDEX machine_order ON machine (folded, number, id);

CREATE TABLE machine_environment (
    environment TEXT NOT NULL,
    machine     TEXT NOT NULL REFERENCES machine (id) ON DELETE CASCADE,
    PRIMARY KEY (environment, machine)
) STRICT, WITHOUT ROWID;
CREATE INDEX machine_environment_machine ON machine_environment (machine);

CREATE TABLE machine_tag (
    tag     TEXT NOT NULL,
    machine TEXT NOT NULL REFERENCES machine (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, machine)
) STRICT, WITHOUT ROWID;
CREATE INDEX machine_tag_machine ON machine_tag (machine);

CREATE TABLE retired_pin (
    pin TEXT PRIMARY KEY
) STRICT;

CREATE TABLE project_group (
    id     TEXT PRIMARY KEY,
    space  TEXT NOT NULL,
    folded TEXT NOT NULL,
    body   TEXT NOT NULL,
    sum    INTEGER
) STRICT;
CREATE UNIQUE INDEX project_group_name ON project_group (space, folded);

CREATE TABLE lifecycle (
    id     TEXT PRIMARY KEY,
    space  TEXT NOT NULL,
    folded TEXT NOT NULL,
    body   TEXT NOT NULL,
    sum    INTEGER
) STRICT;
CREATE UNIQUE INDEX lifecycle_name ON lifecycle (space, folded);

CREATE TABLE project (
    id     TEXT PRIMARY KEY,
    space  TEXT NOT NULL,
    folded TEXT NOT NULL,
    body   TEXT NOT NULL,
    sum    INTEGER
) STRICT;
CREATE UNIQUE INDEX project_name ON project (space, folded);

CREATE TABLE channel (
    id         TEXT PRIMARY KEY,
    project    TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    folded     TEXT NOT NULL,
    is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    body       TEXT NOT NULL,
    sum        INTEGER
) STRICT;
CREATE UNIQUE INDEX channel_name ON channel (project, folded);
CREATE INDEX channel_order ON channel (project, is_default DESC, folded);

CREATE TABLE process (
    project TEXT PRIMARY KEY REFERENCES project (id) ON DELETE CASCADE,
    body    TEXT NOT NULL,
    sum     INTEGER
) STRICT;

CREATE TABLE variable_set (
    project TEXT PRIMARY KEY REFERENCES project (id) ON DELETE CASCADE,
    body    TEXT NOT NULL,
    sum     INTEGER
) STRICT;

CREATE TABLE package (
    folded       TEXT NOT NULL,
    version      TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    body         TEXT NOT NULL,
    sum          INTEGER,
    PRIMARY KEY (folded, version)
) STRICT;
CREATE INDEX package_order ON package (folded, published_at DESC, version DESC);
CREATE INDEX package_content ON package (sha256);

CREATE TABLE release (
    id           TEXT PRIMARY KEY,
    project      TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    channel      TEXT NOT NULL,
    version      TEXT NOT NULL,
    assembled_at INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    body         TEXT NOT NULL,
    sum          INTEGER
) STRICT;
CREATE UNIQUE INDEX release_version ON release (project, version);
CREATE INDEX release_order ON release (project, assembled_at, number, id, channel, version);

CREATE TABLE deployment (
    id          TEXT PRIMARY KEY,
    space       TEXT NOT NULL,
    project     TEXT NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    release     TEXT NOT NULL REFERENCES release (id) ON DELETE CASCADE,
    environment TEXT NOT NULL,
    task        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    body        TEXT NOT NULL,
    sum         INTEGER
) STRICT;
CREATE INDEX deployment_order ON deployment (created_at, number, id);
CREATE INDEX deployment_space ON deployment (space, created_at, number, id);
CREATE INDEX deployment_cell ON deployment (space, project, environment, created_at, number, id);
CREATE INDEX deployment_project ON deployment (project, created_at, number, id);
CREATE INDEX deployment_release ON deployment (release, created_at, number, id);
CREATE INDEX deployment_environment ON deployment (environment, created_at, number, id);
CREATE INDEX deployment_task ON deployment (task);

CREATE TABLE task (
    id           TEXT PRIMARY KEY,
    kind         TEXT NOT NULL,
    state        TEXT NOT NULL,
    project      TEXT NOT NULL,
    environment  TEXT NOT NULL,
    queued_at    INTEGER NOT NULL,
    completed_at INTEGER NOT NULL,
    lease_epoch  INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    body         TEXT NOT NULL,
    sum          INTEGER
) STRICT;
CREATE INDEX task_order ON task (queued_at, number, id);
CREATE INDEX task_state ON task (state, queued_at, number, id);
CREATE INDEX task_kind ON task (kind, queued_at, number, id);
CREATE INDEX task_project ON task (project, queued_at, number, id);
CREATE INDEX task_environment ON task (environment, queued_at, number, id);
CREATE INDEX task_end ON task (completed_at, lease_epoch);

CREATE TABLE ticket (
    id         TEXT PRIMARY KEY,
    task       TEXT NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    step       INTEGER NOT NULL,
    action     INTEGER NOT NULL,
    machine    TEXT NOT NULL,
    attempt    INTEGER NOT NULL,
    state      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    body       TEXT NOT NULL,
    sum        INTEGER
) STRICT;
CREATE UNIQUE INDEX ticket_slot ON ticket (task, step, action, machine, attempt);
CREATE INDEX ticket_order ON ticket (task, step, action, number, machine, attempt);
CREATE INDEX ticket_open ON ticket (machine, created_at, id, state) WHERE state <> 'forgotten';
CREATE INDEX ticket_state ON ticket (state, created_at);

CREATE TABLE join_token (
    id         TEXT PRIMARY KEY,
    space      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    is_used    INTEGER NOT NULL CHECK (is_used IN (0, 1)),
    number     INTEGER NOT NULL,
    body       TEXT NOT NULL,
    sum        INTEGER
) STRICT;
CREATE INDEX join_token_order ON join_token (space, created_at, number, id);
CREATE INDEX join_token_end ON join_token (is_used, expires_at);

CREATE TABLE user (
    id     TEXT PRIMARY KEY,
    folded TEXT NOT NULL,
    body   TEXT NOT NULL,
    sum    INTEGER
) STRICT;
CREATE UNIQUE INDEX user_name ON user (folded);

CREATE TABLE api_key (
    id         TEXT PRIMARY KEY,
    user       TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    sha256     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    body       TEXT NOT NULL,
    sum        INTEGER
) STRICT;
CREATE UNIQUE INDEX api_key_sha256 ON api_key (sha256);
CREATE INDEX api_key_order ON api_key (user, created_at, number, id);

CREATE TABLE session (
    sha256     TEXT PRIMARY KEY,
    user       TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    key        TEXT REFERENCES api_key (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    body       TEXT NOT NULL,
    sum        INTEGER
) STRICT;
CREATE INDEX session_user ON session (user);
CREATE INDEX session_key ON session (key);
CREATE INDEX session_end ON session (expires_at);

CREATE TABLE event (
    number   INTEGER PRIMARY KEY,
    user     TEXT NOT NULL,
    category TEXT NOT NULL,
    subject  TEXT NOT NULL,
    body     TEXT NOT NULL,
    sum      INTEGER
) STRICT;
CREATE INDEX event_user ON event (user, number);
CREATE INDEX event_category ON event (category, number);
CREATE INDEX event_subject ON event (subject, number);
