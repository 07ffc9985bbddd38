-- admit: accept a batch of canonical URLs, each inbox item at most once.
-- KEYS tag   ARGV seen_days forget {number host digest article_id not_before_ms force priority tail}…
--   forget: numbers, joined by spaces, of items that have left the taken list
--   tail: the line's rest, "url" or "url json"
-- returns for each item: seq > 0 accepted | ≤ 0 refused as a duplicate; the same again when asked again
-- O(items · (seen_days + log items))
local STRAYS_KEPT = 1000000
local now, wall = now_ms(), wall_ms()
local day = math.floor(wall / 86400000)
local seen_days = tonumber(ARGV[1])

local function seen(digest)
  for back = 0, seen_days do
    if redis.call('SISMEMBER', P .. 'seen:' .. (day - back), digest) == 1 then
      return true
    end
  end
  return false
end

local function accept(host, digest, article, not_before, again, priority, tail)
  local seq = redis.call('INCR', P .. 'seq')
  local today = P .. 'seen:' .. day
  redis.call('SADD', today, digest)
  redis.call('EXPIRE', today, (seen_days + 1) * 86400)
  local revision = again and redis.call('HINCRBY', P .. 'revisions', article, 1) + 1 or 1
  local line = table.concat({seq, 0, 0, string.format('%d', wall), revision, priority, tail}, ' ')
  if not_before > wall then
    redis.call('ZADD', P .. 'later', now + not_before - wall, host .. ' ' .. line)
  else
    line_up(host, line)
    offer(host)
  end
  count('accepted', 1)
  count('waiting', 1)
  return seq
end

local replies = {}
for first = 3, #ARGV, 8 do
  local number, host, digest, article, not_before, force, priority, tail = unpack(ARGV, first, first + 7)
  local reply = redis.call('ZSCORE', P .. 'admitted', number)
  if not reply then
    local again = seen(digest)
    if again and force ~= '1' then
      -- Not 0: the score also says how old the entry is, for the sweep below.
      reply = -1 - tonumber(redis.call('GET', P .. 'seq') or 0)
      count('refused', 1)
      count('refused:duplicate', 1)
    else
      reply = accept(host, digest, article, tonumber(not_before), again, priority, tail)
    end
    redis.call('ZADD', P .. 'admitted', reply, number)
  end
  table.insert(replies, tonumber(reply))
end

for number in string.gmatch(ARGV[2], '%d+') do
  redis.call('ZREM', P .. 'admitted', number)
end
-- A worker killed between the taken list and `forget` leaves its numbers here; none is of use after a million.
local last = tonumber(redis.call('GET', P .. 'seq') or 0)
if last > STRAYS_KEPT then
  redis.call('ZREMRANGEBYSCORE', P .. 'admitted', -(last - STRAYS_KEPT), last - STRAYS_KEPT)
end
return replies
