-- Oldest program that can use a database with this migration: 1
--
-- Teams with the roles they give, user roles, and machine policies.

CREATE TABLE team (
    id     TEXT PRIMARY KEY,
    folded TEXT NOT NULL,
    body   TEXT NOT NULL,
    sum    INTEGER
) STRICT;
CREATE UNIQUE INDEX team_name ON team (folded);

CREATE TABLE user_role (
    id     TEXT PRIMARY KEY,
    folded TEXT NOT NULL,
    body   TEXT NOT NULL,
    sum    INTEGER
) STRICT;
CREATE UNIQUE INDEX user_role_name ON user_role (folded);

CREATE TABLE machine_policy (
    id     TEXT PRIMARY KEY,
    space  TEXT NOT NULL,
    folded TEXT NOT NULL,
    body   TEXT NOT NULL,
    sum    INTEGER
) STRICT;
CREATE UNIQUE INDEX machine_policy_name ON machine_policy (space, folded);
