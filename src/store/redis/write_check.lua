#!lua
-- KEYS[1]: a key of no meaning. Fails where opening a session would fail; answers the time.
redis.call('SET', KEYS[1], '', 'PX', 1000)
return redis.call('TIME')
