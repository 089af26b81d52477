-- The present code of every target, for lists: made from the events, and made anew at any time.
CREATE TABLE view (
    target TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    region TEXT NOT NULL,
    level TEXT NOT NULL,
    audience TEXT NOT NULL,
    code TEXT NOT NULL,
    clause TEXT NOT NULL,
    since BIGINT NOT NULL,
    -- When time alone changes something; the largest number where nothing does.
    turn BIGINT NOT NULL,
    -- Findings that are open.
    confirmed BIGINT NOT NULL,
    suspected BIGINT NOT NULL,
    -- The earliest last day of a notice, YYYY-MM-DD, or nothing.
    deadline TEXT NOT NULL,
    -- Names and numbers to search in, in small letters.
    words TEXT NOT NULL,
    -- The code as a document.
    document TEXT NOT NULL
);
CREATE INDEX view_by_code ON view (code, since, target);
CREATE INDEX view_by_turn ON view (turn);
CREATE INDEX view_by_region ON view (region, target);

-- Up to which event the view is made, and by which policy.
CREATE TABLE view_head (
    one BIGINT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    policy TEXT NOT NULL
);
INSERT INTO view_head (one, seq, policy) VALUES (1, 0, '');

-- How many targets had which code at the end of a day.
CREATE TABLE trend (
    day TEXT NOT NULL,
    code TEXT NOT NULL,
    targets BIGINT NOT NULL,
    PRIMARY KEY (day, code)
);
