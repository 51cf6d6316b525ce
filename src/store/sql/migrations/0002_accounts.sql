-- Organizations, and what a user holds besides a password. Only additions: the version before runs on this schema.

INSERT INTO counters (name, value) VALUES ('organization', 0);

ALTER TABLE users ADD COLUMN external_id TEXT;
ALTER TABLE users ADD COLUMN client_secret TEXT;
ALTER TABLE users ADD COLUMN api_key TEXT;

ALTER TABLE challenges ADD COLUMN payload TEXT;

CREATE TABLE organizations (
    id BIGINT NOT NULL PRIMARY KEY,
    pool TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- The user for whose address the name was asked though he is registered already; nobody belongs to it.
    reserved_by BIGINT REFERENCES users (id) ON DELETE CASCADE,
    UNIQUE (pool, name_key)
);
CREATE INDEX organizations_by_reserver ON organizations (reserved_by);

CREATE TABLE organization_members (
    organization_id BIGINT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role BIGINT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX organization_members_by_user ON organization_members (user_id);
