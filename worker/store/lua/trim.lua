-- trim: drop the articles that every consumer group has acknowledged. Without a group, nothing.
-- KEYS tag
-- returns how many were dropped                               O(groups + dropped), dropped ≤ 10,000
local AT_ONCE = 10000
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

local floor
for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local group = {}
  for i = 1, #info, 2 do
    group[info[i]] = info[i + 1]
  end
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
