#!lua flags=allow-oom
-- KEYS[1]: the user's sessions. ARGV: id, presented generation, 1 if the rule rotates, grace in ms, limit, now in ms,
-- the newest generation that the Directory knows to have been presented, since when in ms.
-- allow-oom: the record keeps its length, so a full store still refreshes; and reuse must end the session even then.
local key, id = KEYS[1], ARGV[1]
local presented, rotates = tonumber(ARGV[2]), ARGV[3] == '1'
local grace, limit, now = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local floor, since = tonumber(ARGV[7]), tonumber(ARGV[8])

local record = redis.call('HGET', key, id)
if not record then return { 'unknown', false } end
local auth_time, expires_at, rotated_at, epoch, generation, recovered_at, refreshes, rest =
  struct.unpack('>I6I6I6I6I5I5I4', record)

local function ended(verdict)
  redis.call('HDEL', key, id)
  return { verdict, false }
end

-- Below the floor is a record that lost writes: a failover, an old snapshot.
local lost = generation < floor
if lost then generation, rotated_at = floor, math.max(rotated_at, since) end

if expires_at <= now or presented > generation then return ended('dead') end
local in_window = now - rotated_at <= grace
local behind = generation - presented
local twice = recovered_at ~= 0 and recovered_at >= generation - 1
local verdict
if behind == 0 then
  verdict = rotates and 'rotated' or 'kept'
elseif behind == 1 and in_window and not lost then
  verdict = 'retry'
elseif behind == 1 and not in_window and presented >= floor and not twice then
  verdict = 'recovered'
elseif in_window then
  return { 'stale', false }
else
  return ended('reuse')
end

if limit > 0 and refreshes >= limit then return { 'exhausted', false } end
refreshes = refreshes + 1
if verdict == 'rotated' then
  generation, rotated_at = generation + 1, now
elseif verdict == 'recovered' then
  recovered_at, rotated_at = generation, now
end
record = struct.pack('>I6I6I6I6I5I5I4', auth_time, expires_at, rotated_at, epoch, generation, recovered_at, refreshes)
  .. string.sub(record, rest)
redis.call('HSET', key, id, record)
return { verdict, record }
