-- Notices to other programs, until they have arrived. Times are milliseconds since 1970 in UTC.
CREATE TABLE outbox (
    -- Sent as Idempotency-Key; follows from address and body.
    id TEXT PRIMARY KEY NOT NULL,
    url TEXT NOT NULL,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- Not before; whoever takes a notice moves this on, so that no other takes it.
    next_attempt BIGINT NOT NULL,
    -- waiting, delivered, dead
    state TEXT NOT NULL,
    -- What came of the last attempt.
    answer TEXT NOT NULL
);
CREATE INDEX outbox_due ON outbox (state, next_attempt);
