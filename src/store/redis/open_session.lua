#!lua
-- KEYS[1]: the user's sessions. ARGV: id, record, lifetime in ms, now in ms.
local key = KEYS[1]
local now = tonumber(ARGV[4])

-- Records of one hash cannot expire alone. Looking at a few with every sign-in keeps the dead ones few,
-- however many sessions the user has.
local some = redis.call('HRANDFIELD', key, 4, 'WITHVALUES')
for i = 1, #some, 2 do
  local _, expires_at = struct.unpack('>I6I6', some[i + 1])
  if expires_at <= now then redis.call('HDEL', key, some[i]) end
end

redis.call('HSET', key, ARGV[1], ARGV[2])
if redis.call('PTTL', key) < tonumber(ARGV[3]) then redis.call('PEXPIRE', key, ARGV[3]) end
return 1
