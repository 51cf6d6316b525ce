#!lua flags=allow-oom
-- KEYS[1]: the user's sessions. ARGV: id of the one to spare, or empty.
-- allow-oom: ending a session must work when the store is full.
local ended = 0
for _, id in ipairs(redis.call('HKEYS', KEYS[1])) do
  if id ~= ARGV[1] then ended = ended + redis.call('HDEL', KEYS[1], id) end
end
return ended
