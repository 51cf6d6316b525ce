-- What a page of organizations and the purge of mails looked at whole. Only additions.

CREATE INDEX organizations_by_pool ON organizations (pool, id);
CREATE INDEX outbox_by_expiry ON outbox (expires_at);
