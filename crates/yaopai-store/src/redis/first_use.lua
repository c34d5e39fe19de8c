-- Is this the first use of a nonce? Answers {what, now, opens}; what: 0 first, 1 before, 2 not known, 3 not known by the clock.
-- KEYS: what is remembered of the past; two sets of nonces, filled in turn. ARGV: the fingerprint (none: only look), when it was
-- signed (seconds), the highest `now` that this node was answered, and PAST, AHEAD and STEP of src/nonces.rs (milliseconds).
local past, ahead, step = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local replication = redis.call('INFO', 'replication')
if not string.find(replication, 'role:master', 1, true) then
  return redis.error_reply('READONLY not the master')
end
-- A new one with each start and each promotion. The run id is a process's: one that was demoted and promoted again has its old one.
local reign = string.match(replication, 'master_replid:(%w+)')
local time = redis.call('TIME')
local shown = time[1] * 1000 + math.floor(time[2] / 1000)
local seen = tonumber(ARGV[3])

local kept = redis.call('HMGET', KEYS[1], 'reign', 'first', 'high', 'turn')
local first, high, turn = tonumber(kept[2]), tonumber(kept[3]), tonumber(kept[4])
local now = math.max(shown, seen, high or 0)
local anew = kept[1] ~= reign or not first or not high or not turn or seen >= high + step
if anew then
  now = math.max(now, (high or -step) + step)
  first = now
end
if anew or now >= high + step then
  -- A set takes what comes in one turn, is looked at during the next, and makes room after it. Who comes then was signed later than
  -- all that was in it, or too long ago.
  local length = past + ahead + step
  local current = math.floor(now / length)
  if turn and current ~= turn then
    redis.call('UNLINK', KEYS[2 + current % 2])
    if current > turn + 1 then redis.call('UNLINK', KEYS[3 - current % 2]) end
  end
  turn = current
  redis.call('HSET', KEYS[1], 'reign', reign, 'first', string.format('%d', first), 'high', string.format('%d', now),
    'turn', string.format('%d', turn))
end

local shut = first + ahead
if ARGV[1] == '' then return { 2, now, shut } end
local created = tonumber(ARGV[2]) * 1000
if created < now - past or created > now + ahead then return { 3, now, shut } end
if created <= shut then return { 2, now, shut } end
if redis.call('SISMEMBER', KEYS[3 - turn % 2], ARGV[1]) == 1 then return { 1, now, shut } end
return { 1 - redis.call('SADD', KEYS[2 + turn % 2], ARGV[1]), now, shut }
