-- robots_keep: keep an origin's robots.txt; others may ask again once it is not fresh any more.
-- KEYS tag   ARGV origin fresh_ms file
-- returns 1                                                                                               O(1)
local key = P .. 'robots:' .. ARGV[1]
redis.call('HSET', key, 'file', ARGV[3], 'fresh_until', now_ms() + ARGV[2])
redis.call('HDEL', key, 'down_since', 'asker', 'asking_until')
redis.call('PEXPIRE', key, ROBOTS_KEPT_MS)
return 1
