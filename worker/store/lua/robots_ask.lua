-- robots_ask: what the fleet keeps of an origin's robots.txt; where that is to be asked for anew, who may do so.
-- One asks at a time: whoever may has asking_ms and so many rests of the host, and the same owner hears the same
-- again.
-- KEYS tag   ARGV origin host owner asking_ms (0: only look) rests
-- returns may_ask (0 | 1) fresh_ms down_ms (-1: it is not down) rest_ms [file]                            O(1)
local origin, host, owner, asking_ms, rests = unpack(ARGV)
local key = P .. 'robots:' .. origin
local now = now_ms()
asking_ms = tonumber(asking_ms)
local kept = redis.call('HMGET', key, 'fresh_until', 'down_since', 'file', 'asker', 'asking_until')
local fresh_ms = math.max(0, tonumber(kept[1] or 0) - now)
local down_ms = kept[2] and math.max(0, now - tonumber(kept[2])) or -1
local free = kept[4] == owner or tonumber(kept[5] or 0) <= now
local may_ask, rest_ms = asking_ms > 0 and fresh_ms == 0 and free, 0
if may_ask then
  rest_ms = rest_of(host)
  local until_ms = string.format('%d', now + asking_ms + rests * rest_ms)
  redis.call('HSET', key, 'asker', owner, 'asking_until', until_ms)
  redis.call('PEXPIRE', key, ROBOTS_KEPT_MS)
end
return {may_ask and 1 or 0, fresh_ms, down_ms, rest_ms, kept[3] or nil}
