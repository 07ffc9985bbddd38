-- robots_keep: keep an origin's robots.txt; others may ask again once it is not fresh any more.
-- KEYS tag   ARGV origin host owner fresh_ms file
-- returns 1                                                                                               O(1)
local origin, _, owner, fresh_ms, file = unpack(ARGV)
local key = P .. 'robots:' .. origin
redis.call('HSET', key, 'file', file, 'fresh_until', string.format('%d', now_ms() + fresh_ms))
redis.call('HDEL', key, 'down_since')
end_asking(key, owner)
redis.call('PEXPIRE', key, ROBOTS_KEPT_MS)
return 1
