-- When which target had which code: from a moment on (nanoseconds since 1970) and before another, the largest number
-- where it has it still. Made from the events like the view.
CREATE TABLE turned (
    target TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (target, since)
);
UPDATE view_head SET policy = '';
