#!lua flags=allow-oom
-- KEYS[1]: the challenge. ARGV: now in ms.
-- allow-oom: it frees.
local expires_at = redis.call('HGET', KEYS[1], 'until')
if not expires_at then return 0 end
redis.call('DEL', KEYS[1])
return tonumber(expires_at) > tonumber(ARGV[1]) and 1 or 0
