-- What the Cognito API adds to a user: names to sign in with, an SRP verifier, second factors. Only additions: the
-- version before runs on this schema.

ALTER TABLE users ADD COLUMN aliases TEXT;
ALTER TABLE users ADD COLUMN srp TEXT;
ALTER TABLE users ADD COLUMN mfa TEXT;
