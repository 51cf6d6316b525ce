-- One text for SQLite and PostgreSQL: whole numbers, text, and nothing else. Flags are 0 or 1, times are
-- milliseconds since the Unix epoch, UUIDs are text, bytes are base64url.

CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('user', 0), ('ping', 0);

CREATE TABLE users (
    id BIGINT NOT NULL PRIMARY KEY,
    pool TEXT NOT NULL,
    sub TEXT NOT NULL,
    username TEXT NOT NULL,
    username_key TEXT NOT NULL,
    email TEXT,
    email_key TEXT,
    email_verified BIGINT NOT NULL,
    phone TEXT,
    phone_verified BIGINT NOT NULL,
    attributes TEXT NOT NULL,
    status TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    password TEXT,
    temporary_until BIGINT,
    session_epoch BIGINT NOT NULL,
    spared_session TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (pool, sub)
);
CREATE INDEX users_by_pool ON users (pool, id);

-- What a user signs in with: the name, and the address once it is verified. The primary key gives each one owner.
CREATE TABLE logins (
    pool TEXT NOT NULL,
    login TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (pool, login)
);
CREATE INDEX logins_by_user ON logins (user_id);

CREATE TABLE groups (
    pool TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    precedence BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (pool, name)
);

CREATE TABLE memberships (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    pool TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (user_id, name),
    FOREIGN KEY (pool, name) REFERENCES groups (pool, name) ON DELETE CASCADE
);
CREATE INDEX memberships_by_group ON memberships (pool, name);

CREATE TABLE ended_sessions (
    id TEXT NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX ended_sessions_by_expiry ON ended_sessions (expires_at);

CREATE TABLE documents (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE INDEX documents_by_parent ON documents (kind, parent);

CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX outbox_by_due ON outbox (due_at);

CREATE TABLE sessions (
    pool TEXT NOT NULL,
    user_sub TEXT NOT NULL,
    id TEXT NOT NULL,
    client TEXT NOT NULL,
    auth_time BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    recovered_at BIGINT NOT NULL,
    refreshes BIGINT NOT NULL,
    PRIMARY KEY (pool, user_sub, id)
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE challenges (
    pool TEXT NOT NULL,
    purpose TEXT NOT NULL,
    subject TEXT NOT NULL,
    client TEXT NOT NULL,
    user_sub TEXT NOT NULL,
    user_version BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    attempts_left BIGINT NOT NULL,
    answer TEXT,
    PRIMARY KEY (pool, purpose, subject)
);
CREATE INDEX challenges_by_expiry ON challenges (expires_at);

CREATE TABLE attempts (
    subject TEXT NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    forget_at BIGINT NOT NULL
);
CREATE INDEX attempts_by_expiry ON attempts (forget_at);
