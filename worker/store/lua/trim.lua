-- trim: drop the articles that every consumer group has acknowledged. Without a group, nothing.
-- Of consumers that have nothing pending and were not heard of for long, the names are dropped, too.
-- KEYS tag   ARGV [forgotten after ms: an hour]
-- returns how many articles were dropped                      O(consumers + dropped), dropped ≤ 10,000
local AT_ONCE = 10000
local FORGOTTEN_AFTER_MS = tonumber(ARGV[1] or 3600000)
local stream = P .. 'articles'
if redis.call('EXISTS', stream) == 0 then
  return 0
end

local function older(a, b)
  local a_ms, a_n = string.match(a, '^(%d+)-(%d+)$')
  local b_ms, b_n = string.match(b, '^(%d+)-(%d+)$')
  if a_ms ~= b_ms then
    return tonumber(a_ms) < tonumber(b_ms)
  end
  return tonumber(a_n) < tonumber(b_n)
end

local function named(info)
  local fields = {}
  for i = 1, #info, 2 do
    fields[info[i]] = info[i + 1]
  end
  return fields
end

-- Whoever deletes a consumer deletes what it has pending: look and deletion must be one step.
local function forget(group)
  for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
    local consumer = named(info)
    if consumer['pending'] == 0 and consumer['idle'] >= FORGOTTEN_AFTER_MS then
      redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer['name'])
    end
  end
end

local floor
for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local group = named(info)
  forget(group['name'])
  local pending = redis.call('XPENDING', stream, group['name'])
  local needed = pending[1] > 0 and pending[2] or group['last-delivered-id']
  if not floor or older(needed, floor) then
    floor = needed
  end
end
if not floor then
  return 0
end
local dropped = redis.call('XTRIM', stream, 'MINID', '~', floor, 'LIMIT', AT_ONCE)
count('trimmed', dropped)
return dropped
