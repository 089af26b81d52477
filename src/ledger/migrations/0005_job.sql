-- Jobs, what calls for them, and who may ask a host when. Times are milliseconds since 1970 in UTC.
CREATE TABLE roster (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    -- Content in the store.
    sha256 TEXT NOT NULL,
    targets BIGINT NOT NULL,
    added BIGINT NOT NULL,
    actor TEXT NOT NULL
);
CREATE TABLE job (
    -- Later jobs have greater ids.
    id TEXT PRIMARY KEY NOT NULL,
    -- scan-upload, scan-target, run
    kind TEXT NOT NULL,
    -- What exactly, as JSON.
    what TEXT NOT NULL,
    -- demand, schedule
    lane TEXT NOT NULL,
    -- Two jobs with the same key are never open at a time.
    open_key TEXT NOT NULL,
    -- waiting, running, done, dead, cancelled
    state TEXT NOT NULL,
    -- How often it went into the queue: a ticket in the queue names it.
    turn BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    progress BIGINT NOT NULL,
    total BIGINT NOT NULL,
    -- What went wrong last.
    error TEXT NOT NULL,
    -- What came of it, as JSON.
    result TEXT NOT NULL,
    worker TEXT NOT NULL,
    actor TEXT NOT NULL,
    created BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    started BIGINT NOT NULL,
    -- Sign of life of whoever works on it.
    beat BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    -- 1: somebody wants it to stop.
    cancel BIGINT NOT NULL,
    -- The job that called for it.
    parent TEXT NOT NULL
);
CREATE UNIQUE INDEX job_open ON job (open_key) WHERE state IN ('waiting', 'running');
CREATE INDEX job_state ON job (state, not_before);
CREATE INDEX job_parent ON job (parent);
CREATE TABLE schedule (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    -- The plan, as JSON: roster, filter, when.
    plan TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    -- When it is due.
    next BIGINT NOT NULL,
    -- When it last ran, and as which job.
    last BIGINT NOT NULL,
    job TEXT NOT NULL,
    created BIGINT NOT NULL,
    actor TEXT NOT NULL
);
-- From when on a host may be asked again, for all workers together.
CREATE TABLE host_lease (
    host TEXT PRIMARY KEY NOT NULL,
    next BIGINT NOT NULL
);
-- What each person uploaded on a day, by the calendar of Beijing.
CREATE TABLE upload (
    actor TEXT NOT NULL,
    day TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (actor, day)
);
