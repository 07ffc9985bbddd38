-- robots_ask: what the fleet keeps of an origin's robots.txt; where that is to be asked for anew, who may do so.
-- One asks at a time: whoever may has asking_ms, and the same owner hears the same again.
-- KEYS tag   ARGV origin owner asking_ms (0: only look)
-- returns may_ask (0 | 1) fresh_ms down_ms (-1: it is not down) [file]                                    O(1)
local key = P .. 'robots:' .. ARGV[1]
local now, asking_ms = now_ms(), tonumber(ARGV[3])
local kept = redis.call('HMGET', key, 'fresh_until', 'down_since', 'file', 'asker', 'asking_until')
local fresh_ms = math.max(0, tonumber(kept[1] or 0) - now)
local down_ms = kept[2] and math.max(0, now - tonumber(kept[2])) or -1
local free = kept[4] == ARGV[2] or tonumber(kept[5] or 0) <= now
local may_ask = asking_ms > 0 and fresh_ms == 0 and free
if may_ask then
  redis.call('HSET', key, 'asker', ARGV[2], 'asking_until', now + asking_ms)
  redis.call('PEXPIRE', key, ROBOTS_KEPT_MS)
end
return {may_ask and 1 or 0, fresh_ms, down_ms, kept[3] or nil}
