-- admit: accept a batch of canonical URLs, each inbox item at most once.
-- KEYS tag   ARGV seen_days forget {number host digest article_id not_before_ms again_after_ms priority tail}…
--   forget: numbers, joined by spaces, of items that have left the taken list
--   again_after_ms: how old the last visit of a URL seen before must be; 0 is force, empty is never
--   tail: the line's rest, "url" or "url json"
-- returns for each item: seq > 0 accepted | ≤ 0 refused as a duplicate; the same again when asked again
-- O(items · (seen_days / 7 + log items))
local STRAYS_KEPT = 1000000
local now, wall = now_ms(), wall_ms()
local seen_days = tonumber(ARGV[1])
local since = (math.floor(wall / 86400000) - seen_days) * 86400000

-- When the URL was last accepted or ended, on this day or `seen_days` before (ms), or nil.
local function last_seen(digest)
  for week = math.floor(wall / WEEK_MS), math.floor(since / WEEK_MS), -1 do
    for level = seen_level(week), 0, -1 do  -- the higher, the later
      local time = redis.call('HGET', seen_place(week, level, digest))
      if time then
        local at = week * WEEK_MS + time
        return at >= since and at or nil
      end
    end
  end
end

-- When its last visit ended (ms), or nil: kept for longer than `seen`, and newer where a URL had to wait.
local function last_visit(article)
  local visit = redis.call('GET', P .. 'visit:' .. article)
  return visit and tonumber(string.match(visit, '^%d+'))
end

local function duplicate(digest, article, again_after)
  if again_after == '0' then
    return false
  end
  local seen = last_seen(digest)
  if again_after == '' then
    return seen ~= nil
  end
  local visited = last_visit(article)
  local last = math.max(seen or 0, visited or 0)
  return last > 0 and wall - last < tonumber(again_after)
end

local pushed = {}  -- hosts, in their order and by their names
local function accept(host, digest, not_before, priority, tail)
  local seq = next_seq()
  see(digest, wall, seen_days)
  local line = table.concat({seq, 0, 0, string.format('%d', wall), revision_of(digest) + 1, priority, tail}, ' ')
  if not_before > wall then
    redis.call('ZADD', P .. 'later', now + not_before - wall, host .. ' ' .. line)
  else
    line_up(host, line)
    if not pushed[host] then
      pushed[host] = true
      table.insert(pushed, host)
    end
  end
  count('accepted', 1)
  count('waiting', 1)
  return seq
end

for first = 3, #ARGV, 8 do
  state(ARGV[first + 1])  -- should one be damaged, nothing has been written yet
end
local replies, admitted = {}, {}
for first = 3, #ARGV, 8 do
  local number, host, digest, article, not_before, again_after, priority, tail = unpack(ARGV, first, first + 7)
  local reply = redis.call('ZSCORE', P .. 'admitted', number)
  if not reply then
    if duplicate(digest, article, again_after) then
      -- Not 0: the score also says how old the entry is, for the sweep below.
      reply = -1 - last_seq()
      count('refused', 1)
      count('refused:duplicate', 1)
    else
      reply = accept(host, digest, tonumber(not_before), priority, tail)
    end
    table.insert(admitted, reply)
    table.insert(admitted, number)
  end
  table.insert(replies, tonumber(reply))
end
if #admitted > 0 then
  redis.call('ZADD', P .. 'admitted', unpack(admitted))
end
for _, host in ipairs(pushed) do
  offer(host)
end

local forgotten = {}
for number in string.gmatch(ARGV[2], '%d+') do
  table.insert(forgotten, number)
end
if #forgotten > 0 then
  redis.call('ZREM', P .. 'admitted', unpack(forgotten))
end
-- A worker killed between the taken list and `forget` leaves its numbers here; none is of use after a million.
local last = last_seq()
if last > STRAYS_KEPT then
  redis.call('ZREMRANGEBYSCORE', P .. 'admitted', -(last - STRAYS_KEPT), last - STRAYS_KEPT)
end
return replies
