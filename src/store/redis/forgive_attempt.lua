#!lua flags=allow-oom
-- KEYS[1]: the subject's attempts. ARGV: longest lock in ms, now in ms.
-- allow-oom: the record only shrinks.
local key = KEYS[1]
local count, last = unpack(redis.call('HMGET', key, 'count', 'last'))
if not count then return 0 end
if tonumber(count) <= 1 or tonumber(ARGV[2]) >= tonumber(last) + tonumber(ARGV[1]) then return redis.call('DEL', key) end
redis.call('HSET', key, 'count', tonumber(count) - 1, 'until', 0)
return 1
