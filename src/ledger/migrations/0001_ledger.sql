-- Written for SQLite; for PostgreSQL the word BLOB is read as BYTEA.

-- Events, only ever added. Moments are nanoseconds since 1970, hashes lower-case hex.
CREATE TABLE event (
    seq BIGINT NOT NULL PRIMARY KEY,
    target TEXT NOT NULL,
    at BIGINT NOT NULL,
    recorded BIGINT NOT NULL,
    actor TEXT NOT NULL,
    body TEXT NOT NULL,
    hash TEXT NOT NULL
);

CREATE INDEX event_of_target ON event (target, seq);

-- One row: the last event. Who adds events locks it first.
CREATE TABLE head (
    one BIGINT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);

INSERT INTO head (one, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- Reports that events name, deflated JSON by the SHA-256 of the JSON.
CREATE TABLE document (
    sha256 TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL
);
