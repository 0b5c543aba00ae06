-- A state file as version 3 of its form wrote it: a copy of two tables, killed in the middle of the first, after it had followed for a while.
CREATE TABLE task (                     -- one row
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created INTEGER NOT NULL,
    source_identity TEXT NOT NULL, source_address TEXT NOT NULL, source_version TEXT NOT NULL,
    destination_identity TEXT NOT NULL, destination_address TEXT NOT NULL, destination_version TEXT NOT NULL
) STRICT;
CREATE TABLE spec (                     -- every spec the task has run with, resolved, without secrets
    digest TEXT NOT NULL PRIMARY KEY,
    first_used INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started INTEGER NOT NULL,
    ended INTEGER,                      -- NULL: still running, or killed
    outcome TEXT,                       -- finished, stopped, failed
    error TEXT,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    version TEXT NOT NULL,
    spec_digest TEXT NOT NULL
) STRICT;
CREATE TABLE plan (
    run INTEGER NOT NULL PRIMARY KEY REFERENCES run,
    plan_id TEXT NOT NULL,
    saved INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE TABLE phase (
    name TEXT NOT NULL PRIMARY KEY,
    started INTEGER,
    finished INTEGER
) STRICT;
CREATE TABLE statement (
    run INTEGER NOT NULL REFERENCES run,
    action TEXT NOT NULL,
    position INTEGER NOT NULL,
    object TEXT NOT NULL,
    sql TEXT NOT NULL,
    started INTEGER NOT NULL,
    finished INTEGER,
    milliseconds INTEGER,
    warnings TEXT NOT NULL DEFAULT '[]', -- JSON: [[code, message], ...]
    found_done INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    PRIMARY KEY (run, action, position)
) STRICT;
CREATE TABLE created (                  -- what this task made at the destination, as it left it
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, object)
) STRICT;
CREATE TABLE table_copy (
    id INTEGER PRIMARY KEY,
    source_database TEXT NOT NULL, source_table TEXT NOT NULL,
    destination_database TEXT NOT NULL, destination_table TEXT NOT NULL,
    rows_estimate INTEGER NOT NULL, bytes_estimate INTEGER NOT NULL,
    ranges INTEGER NOT NULL DEFAULT 0,
    rows_done INTEGER NOT NULL DEFAULT 0, bytes_done INTEGER NOT NULL DEFAULT 0,
    started INTEGER, last_chunk INTEGER, finished INTEGER,
    run_started INTEGER,                -- when the latest run that worked on it began with it
    run_rows INTEGER NOT NULL DEFAULT 0, -- rows_done at that moment
    UNIQUE (source_database, source_table)
) STRICT;
CREATE TABLE range_copy (
    table_id INTEGER NOT NULL REFERENCES table_copy,
    range INTEGER NOT NULL,
    chunks INTEGER NOT NULL DEFAULT 0,
    read INTEGER NOT NULL DEFAULT 0, written INTEGER NOT NULL DEFAULT 0, found INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    milliseconds INTEGER NOT NULL DEFAULT 0,
    first_chunk INTEGER, last_chunk INTEGER, finished INTEGER,
    PRIMARY KEY (table_id, range)
) STRICT, WITHOUT ROWID;
CREATE TABLE sample (                   -- rows and bytes of all tables now and then, for rates
    run INTEGER NOT NULL REFERENCES run,
    at INTEGER NOT NULL,
    rows INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (run, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE wait (
    run INTEGER NOT NULL REFERENCES run,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER,                      -- NULL: over
    times INTEGER NOT NULL DEFAULT 1,
    milliseconds INTEGER NOT NULL DEFAULT 0, -- of the waits that are over
    PRIMARY KEY (run, who)
) STRICT;
CREATE TABLE note (
    run INTEGER NOT NULL REFERENCES run,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (run, text)
) STRICT;
CREATE TABLE control (                  -- what somebody asks of the running apply
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    requested INTEGER NOT NULL
) STRICT;
CREATE TABLE follow (                   -- one row, from the first run of the phase on
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    began INTEGER NOT NULL,
    run INTEGER NOT NULL REFERENCES run, -- the latest that worked on it
    started INTEGER NOT NULL,           -- when that one began with it
    until TEXT NOT NULL,
    lanes INTEGER NOT NULL,
    first_position TEXT NOT NULL,       -- where the first run began
    position TEXT NOT NULL,             -- everything before it is at the destination
    read_position TEXT,
    source_micros INTEGER,              -- when the newest transaction at the destination was committed at the source
    commits INTEGER NOT NULL DEFAULT 0,
    transactions INTEGER NOT NULL DEFAULT 0, row_events INTEGER NOT NULL DEFAULT 0,
    inserted INTEGER NOT NULL DEFAULT 0, updated INTEGER NOT NULL DEFAULT 0, deleted INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    micros INTEGER NOT NULL DEFAULT 0,  -- of all commits together
    last_commit INTEGER,
    caught_up INTEGER,                  -- when everything was at the destination last
    lag_micros INTEGER, lag_at INTEGER, idle INTEGER NOT NULL DEFAULT 0, by_heartbeat INTEGER NOT NULL DEFAULT 0,
    lanes_busy INTEGER NOT NULL DEFAULT 0, backlog_bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE follow_sample (            -- totals now and then, for rates
    run INTEGER NOT NULL REFERENCES run,
    at INTEGER NOT NULL,
    transactions INTEGER NOT NULL, row_events INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (run, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE conflict (
    source_database TEXT NOT NULL, source_table TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,                  -- JSON: names of the key's columns
    rows INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (source_database, source_table, kind, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE ddl_count (                -- of all runs together
    class TEXT NOT NULL,
    outcome TEXT NOT NULL,              -- carried, skipped, failed
    times INTEGER NOT NULL,
    last INTEGER NOT NULL,
    reason TEXT,                        -- why the last one was skipped
    PRIMARY KEY (class, outcome)
) STRICT, WITHOUT ROWID;
CREATE TABLE ddl (                      -- what ran and what failed; the latest thousand of each
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES run,
    at INTEGER NOT NULL,
    place TEXT NOT NULL, gtid TEXT,
    class TEXT NOT NULL,
    object TEXT,
    sql TEXT NOT NULL,
    milliseconds INTEGER,
    found_done INTEGER NOT NULL DEFAULT 0,
    error TEXT                          -- NULL: it ran
) STRICT;
CREATE TABLE setting (                  -- limits in force in a run
    run INTEGER NOT NULL REFERENCES run,
    name TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE retention (                -- how long the source keeps its binlog, as last measured while it was followed
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL,
    removed_after INTEGER,              -- seconds; 0 is never, NULL is unknown
    oldest_age INTEGER,                 -- seconds since the first event of the oldest file
    needed INTEGER NOT NULL,            -- seconds
    short INTEGER NOT NULL
) STRICT;
INSERT INTO task VALUES ('0123456789abcdef', 'shop', 1714557600000, 'uuid-of-db1', 'db1:3306', 'mysql 8.0.36', 'uuid-of-db2', 'db2:3306', 'mysql 8.0.36');
INSERT INTO spec VALUES ('d1', 1714557600000, 1714557600000, '{}');
INSERT INTO run VALUES (1, 1714557600000, NULL, NULL, NULL, 4711, 'here', '0.1.0', 'd1');
INSERT INTO plan VALUES (1, 'p-1', 1714557600000, '{}');
INSERT INTO phase VALUES ('schema', 1714557600000, 1714557601000), ('full', 1714557601000, NULL);
INSERT INTO statement VALUES (1, 'a1', 0, 'shop.orders', 'CREATE TABLE orders (id INT)', 1714557600000, 1714557601000, 1000, '[]', 0, NULL);
INSERT INTO created VALUES ('table', 'shop_dr.orders', 'f1', 1714557601000);
INSERT INTO table_copy VALUES (1, 'shop', 'orders', 'shop_dr', 'orders', 1000, 100000, 2, 777, 77700, 1714557601000, 1714557602000, NULL, 1714557601000, 0);
INSERT INTO range_copy VALUES (1, 0, 7, 700, 700, 700, 70000, 7, 1714557601000, 1714557602000, 1714557602000), (1, 1, 1, 77, 77, 77, 7700, 1, 1714557602000, 1714557602000, NULL);
INSERT INTO sample VALUES (1, 1714557601000, 0, 0), (1, 1714557602000, 777, 77700);
INSERT INTO wait VALUES (1, 'full copy', 'connection lost', NULL, 1, 500);
INSERT INTO note VALUES (1, 'look here', 1714557601000, 1);
INSERT INTO follow (id, began, run, started, until, lanes, first_position, position, commits, transactions, row_events, inserted, bytes, micros)
    VALUES (1, 1714557602000, 1, 1714557602000, 'never', 4, '{"file":"binlog.000001","offset":157,"gtid":null}', '{"file":"binlog.000001","offset":400,"gtid":null}', 2, 4, 20, 20, 2000, 9000);
INSERT INTO follow_sample VALUES (1, 1714557602000, 4, 20, 2000);
INSERT INTO conflict VALUES ('shop', 'orders', 'insert-exists', '["id"]', 3, 1714557602000, 1714557602000);
INSERT INTO ddl_count VALUES ('alter-table', 'carried', 1, 1714557602000, NULL);
INSERT INTO ddl VALUES (1, 1, 1714557602000, 'binlog.000001:400', NULL, 'alter-table', 'shop.orders', 'ALTER TABLE orders ADD c INT', 5, 0, NULL);
INSERT INTO setting VALUES (1, 'threads', 2.0);
INSERT INTO retention VALUES (1, 1714557602000, 259200, 3600, 86400, 0);
PRAGMA application_id = 1685353315;
PRAGMA user_version = 3;
