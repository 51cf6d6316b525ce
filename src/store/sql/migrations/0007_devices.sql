-- Devices that users have confirmed, and which session belongs to one. Only additions: the version before runs on this
-- schema.

CREATE TABLE devices (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    pool TEXT NOT NULL,
    user_sub TEXT NOT NULL,
    client TEXT NOT NULL,
    session TEXT NOT NULL,
    name TEXT,
    verifier TEXT NOT NULL,
    remembered BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, id)
);
CREATE INDEX devices_by_use ON devices (user_id, authenticated_at, id);

ALTER TABLE sessions ADD COLUMN device TEXT;
