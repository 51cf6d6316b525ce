-- The newest refresh token of each session that was ever presented, while the sessions themselves are in Redis. Only an
-- addition: the version before runs on this schema.

CREATE TABLE rotations (
    session TEXT NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL,
    since BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX rotations_by_expiry ON rotations (expires_at);
