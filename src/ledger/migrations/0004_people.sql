-- Who uses the service, and what they did. Moments are milliseconds since 1970.
CREATE TABLE person (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- reader, analyst, administrator
    role TEXT NOT NULL,
    -- Only targets of this region and what is in it; empty is everything.
    region TEXT NOT NULL,
    -- Argon2id in PHC form.
    password TEXT NOT NULL,
    -- 1: the password was given by another person and has to be changed first.
    must_change BIGINT NOT NULL,
    -- 1: may not log in.
    disabled BIGINT NOT NULL,
    created BIGINT NOT NULL
);

-- Who is logged in. The token itself is nowhere: its SHA-256, lower-case hex.
CREATE TABLE session (
    token TEXT NOT NULL PRIMARY KEY,
    person BIGINT NOT NULL,
    created BIGINT NOT NULL,
    seen BIGINT NOT NULL
);
CREATE INDEX session_of_person ON session (person);

-- Tokens for programs, hashed alike. `hash` of a revoked one stays, so that it is never given again.
CREATE TABLE api_token (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    person BIGINT NOT NULL,
    label TEXT NOT NULL,
    role TEXT NOT NULL,
    region TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    -- 0: holds.
    revoked BIGINT NOT NULL
);
CREATE INDEX api_token_of_person ON api_token (person);

-- Attempts to log in, by name and by address, since the first of them.
CREATE TABLE attempt (
    whose TEXT NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL,
    latest BIGINT NOT NULL
);

-- Every change and every login, in order; only ever added to.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at BIGINT NOT NULL,
    -- Name and number of the person; 0 where nobody is known by the name.
    who TEXT NOT NULL,
    person BIGINT NOT NULL,
    -- Number of the token; 0 for a session.
    token BIGINT NOT NULL,
    address TEXT NOT NULL,
    -- Method and route.
    what TEXT NOT NULL,
    -- Path.
    object TEXT NOT NULL,
    -- HTTP status.
    outcome BIGINT NOT NULL
);

-- Answers to writes that may be asked for again by the same key. `state` is 0 while the first is under way.
CREATE TABLE answered (
    id TEXT NOT NULL PRIMARY KEY,
    request TEXT NOT NULL,
    state BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    made BIGINT NOT NULL
);

-- Rosters that were sent in and not yet applied.
CREATE TABLE roster_upload (
    id TEXT NOT NULL PRIMARY KEY,
    person BIGINT NOT NULL,
    made BIGINT NOT NULL,
    sheet TEXT NOT NULL,
    body BLOB NOT NULL
);

-- What waits for a person, and of which targets reports are: made from the events like the view.
CREATE TABLE waiting (
    target TEXT NOT NULL,
    part BIGINT NOT NULL,
    rank TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (target, part)
);
CREATE INDEX waiting_by_rank ON waiting (rank, target, part);

CREATE TABLE report_of (
    sha256 TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (sha256, target)
);
UPDATE view_head SET policy = '';
