-- Oldest program that can use a database with this migration: 1
--
-- Library variable sets with their variables, and accounts.

CREATE TABLE library_set (
    id     TEXT PRIMARY KEY,
    space  TEXT NOT NULL,
    folded TEXT NOT NULL,
    body   TEXT NOT NULL,
    sum    INTEGER
) STRICT;
CREATE UNIQUE INDEX library_set_name ON library_set (space, folded);

CREATE TABLE account (
    id     TEXT PRIMARY KEY,
    space  TEXT NOT NULL,
    folded TEXT NOT NULL,
    body   TEXT NOT NULL,
    sum    INTEGER
) STRICT;
CREATE UNIQUE INDEX account_name ON account (space, folded);
