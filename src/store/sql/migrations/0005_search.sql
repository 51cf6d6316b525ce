-- What lists of users and groups add: how a group is described, and indexes for whatever users are searched by, in the
-- order of their pages. Only additions: the version before runs on this schema. {bytes} is the collation that compares
-- bytes, {attributes} are the attributes as JSON.
-- Of those the beginning is enough, which fits an index whatever its length: nobody searches for more.

ALTER TABLE groups ADD COLUMN role_arn TEXT;
ALTER TABLE groups ADD COLUMN updated_at BIGINT;

CREATE INDEX users_by_username ON users (pool, username_key COLLATE {bytes}, id);
CREATE INDEX users_by_email ON users (pool, email_key COLLATE {bytes}, id);
CREATE INDEX users_by_phone ON users (pool, phone COLLATE {bytes}, id);
CREATE INDEX users_by_status ON users (pool, status COLLATE {bytes}, id);
CREATE INDEX users_by_enabled ON users (pool, CAST(enabled AS TEXT) COLLATE {bytes}, id);
CREATE INDEX users_by_name ON users (pool, SUBSTR({attributes} ->> 'name', 1, 512) COLLATE {bytes}, id);
CREATE INDEX users_by_given_name ON users (pool, SUBSTR({attributes} ->> 'given_name', 1, 512) COLLATE {bytes}, id);
CREATE INDEX users_by_family_name ON users (pool, SUBSTR({attributes} ->> 'family_name', 1, 512) COLLATE {bytes}, id);
CREATE INDEX users_by_preferred_username ON users
    (pool, SUBSTR({attributes} ->> 'preferred_username', 1, 512) COLLATE {bytes}, id);
