#!lua
-- KEYS[1]: the subject's attempts. ARGV: free attempts, first lock in ms, longest lock in ms, now in ms, slack in ms.
-- Answers until when the subject is locked, or nothing when the attempt was counted and may go on.
local key = KEYS[1]
local free, lock, lock_max, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local stored = redis.call('HMGET', key, 'count', 'last', 'until')
local count, last, locked_until = tonumber(stored[1] or 0), tonumber(stored[2] or 0), tonumber(stored[3] or 0)
if locked_until > now then return locked_until end
if now >= last + lock_max then count = 0 end
count = count + 1

locked_until = 0
if count >= free then locked_until = now + math.min(lock * 2 ^ math.min(count - free, 31), lock_max) end
redis.call('HSET', key, 'count', count, 'last', now, 'until', locked_until)
redis.call('PEXPIRE', key, lock_max + tonumber(ARGV[5]))
return false
