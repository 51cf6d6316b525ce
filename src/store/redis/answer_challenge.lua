#!lua flags=allow-oom
-- KEYS[1]: the challenge. ARGV: now in ms, answer.
-- allow-oom: counting down takes no room.
local key = KEYS[1]
local expires_at, left = unpack(redis.call('HMGET', key, 'until', 'left'))
if not expires_at then return { 'unknown', false } end
if tonumber(expires_at) <= tonumber(ARGV[1]) or tonumber(left) <= 0 then
  redis.call('DEL', key)
  return { 'unknown', false }
end
left = redis.call('HINCRBY', key, 'left', -1)

-- Lua's == may take a time that depends on the texts. Both are MACs under a key that the guesser does not have:
-- how many leading bytes agree tells nothing about the code, and the next guess has an unrelated MAC.
local challenge = redis.call('HMGET', key, 'client', 'user', 'version', 'until', 'left', 'answer', 'payload')
local right = challenge[6] == ARGV[2]
if right or left == 0 then redis.call('DEL', key) end
if right then return { 'right', challenge } end
return { 'wrong', false }
