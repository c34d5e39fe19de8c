-- Counts tries: each of them, or none. Answers {1, slot}, or {0, seconds to wait}. Or gives back what was counted in a slot: {1, slot}.
-- KEYS: for each count the two sets of names of its kind, filled in turn; each says in the field `turn` whose it is. ARGV: how long a slot
-- is (milliseconds), how many of them a turn has, how many names a turn takes, what a full one asks for (seconds), the slot to give back
-- (none: count); then for each count the name, how many there may be, and whether it passes uncounted where there is no room (1).
local slot_ms, slots, most, full = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local back = tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slot = math.floor(now / slot_ms)
local turn = math.floor(slot / slots)
local this, last = string.format('%d', turn), string.format('%d', turn - 1)

local changes = {}
for n = 1, #KEYS / 2 do
  local name, max, spills = ARGV[3 * n + 3], tonumber(ARGV[3 * n + 4]), ARGV[3 * n + 5] == '1'
  local current, before = KEYS[2 * n - 1 + turn % 2], KEYS[2 * n - (turn % 2)]
  local begun = redis.call('HGET', current, 'turn') == this
  local kept = begun and redis.call('HGET', current, name)
  local place = kept and current
  if not kept and redis.call('HGET', before, 'turn') == last then
    kept = redis.call('HGET', before, name)
    place = kept and before
  end
  local sum, oldest, pairs_kept, counted = 0, nil, {}, false
  for at, count in string.gmatch(kept or '', '(%d+):(%d+)') do
    at, count = tonumber(at), tonumber(count)
    if back then
      if at == back and count > 0 then count = count - 1 end
      table.insert(pairs_kept, string.format('%d:%d', at, count))
    elseif at > slot - slots then
      sum = sum + count
      if not oldest or at < oldest then oldest = at end
      if at == slot then
        count = count + 1
        counted = true
      end
      table.insert(pairs_kept, string.format('%d:%d', at, count))
    end
  end
  if back then
    if place then redis.call('HSET', place, name, table.concat(pairs_kept, ' ')) end
  else
    if sum >= max then return { 0, math.max(1, math.ceil(((oldest + slots) * slot_ms - now) / 1000)) } end
    if not counted then table.insert(pairs_kept, string.format('%d:1', slot)) end
    -- One of a turn's fields is no name.
    if place == current or not begun or redis.call('HLEN', current) - 1 < most then
      table.insert(changes, { current, name, table.concat(pairs_kept, ' ') })
    elseif not spills then
      return { 0, full }
    end
  end
end
for _, change in ipairs(changes) do
  if redis.call('HGET', change[1], 'turn') ~= this then
    redis.call('UNLINK', change[1])
    redis.call('HSET', change[1], 'turn', this)
    redis.call('PEXPIRE', change[1], string.format('%d', (turn + 2) * slots * slot_ms - now + slot_ms))
  end
  redis.call('HSET', change[1], change[2], change[3])
end
return { 1, back or slot }
