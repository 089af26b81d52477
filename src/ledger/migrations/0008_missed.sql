-- Targets that a part of a run did not get, and why.
CREATE TABLE missed (
    -- The part, and the run that it is of.
    job TEXT NOT NULL,
    run TEXT NOT NULL,
    -- Line of the roster.
    line BIGINT NOT NULL,
    -- Key of the target; empty where nothing identifies it.
    target TEXT NOT NULL,
    -- failed, skipped
    outcome TEXT NOT NULL,
    cause TEXT NOT NULL,
    -- Milliseconds since 1970.
    at BIGINT NOT NULL,
    -- 1: no run has got the target since.
    latest BIGINT NOT NULL,
    -- Name, address and reason, as JSON.
    body TEXT NOT NULL,
    PRIMARY KEY (job, line)
);
CREATE INDEX missed_run ON missed (run, line);
CREATE INDEX missed_target ON missed (target, latest);
-- Rows that could not be read.
ALTER TABLE roster ADD COLUMN rejected BIGINT NOT NULL DEFAULT 0;
-- What went wrong last, in English.
ALTER TABLE job ADD COLUMN error_en TEXT NOT NULL DEFAULT '';
-- What is closed has nothing open any more, and what no roster names is called what it calls itself.
UPDATE view_head SET policy = '';
