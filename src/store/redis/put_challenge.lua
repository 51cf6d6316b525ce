#!lua
-- KEYS[1]: the challenge. ARGV: slack in ms, client, user, user version, expiry in ms, attempts left,
-- then name and value of the fields that not every challenge has.
local key = KEYS[1]
redis.call('DEL', key)
redis.call('HSET', key, 'client', ARGV[2], 'user', ARGV[3], 'version', ARGV[4], 'until', ARGV[5], 'left', ARGV[6],
  unpack(ARGV, 7))

-- Redis only sweeps up; whether a challenge is alive is judged by the caller's clock, which may differ from this one.
local time = redis.call('TIME')
local here = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('PEXPIRE', key, math.max(tonumber(ARGV[5]) - here, 0) + tonumber(ARGV[1]))
return 1
