#!lua flags=allow-oom
-- KEYS[1]: the challenge. ARGV: now in ms.
-- allow-oom: counting down takes no room.
local key = KEYS[1]
local expires_at, left = unpack(redis.call('HMGET', key, 'until', 'left'))
if not expires_at then return false end
if tonumber(expires_at) <= tonumber(ARGV[1]) or tonumber(left) <= 0 then
  redis.call('DEL', key)
  return false
end
redis.call('HINCRBY', key, 'left', -1)
return redis.call('HMGET', key, 'client', 'user', 'version', 'until', 'left', 'answer', 'payload')
