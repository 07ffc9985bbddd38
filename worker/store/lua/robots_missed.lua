-- robots_missed: an origin's robots.txt could not be had; an older copy stays. It is asked for again after as
-- long as it has been down: a minute at least, an hour at most.
-- KEYS tag   ARGV origin
-- returns fresh_ms down_ms [file]                                                                         O(1)
local key = P .. 'robots:' .. ARGV[1]
local now = now_ms()
local kept = redis.call('HMGET', key, 'down_since', 'file')
local since = tonumber(kept[1] or now)
local again_ms = math.min(math.max(now - since, 60000), 3600000)
redis.call('HSET', key, 'down_since', since, 'fresh_until', now + again_ms)
redis.call('HDEL', key, 'asker', 'asking_until')
redis.call('PEXPIRE', key, ROBOTS_KEPT_MS)
return {again_ms, now - since, kept[2] or nil}
