-- Hashes of the passwords that users had before, newest first, as JSON. Only additions: the version before runs on this
-- schema.

CREATE TABLE former_passwords (
    user_id BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    pool TEXT NOT NULL,
    hashes TEXT NOT NULL,
    size BIGINT NOT NULL
);
CREATE INDEX former_passwords_by_size ON former_passwords (pool, size);
