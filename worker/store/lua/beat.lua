-- beat: say that this worker lives, and hear which do not.
-- KEYS workers   ARGV worker ttl_ms
-- returns the workers that have been silent for over their ttl        O(log workers + silent)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ttl = tonumber(ARGV[2])
redis.call('ZADD', KEYS[1], now + ttl, ARGV[1])
-- After the clock was set back, a dead worker would count as alive until the old time comes round again.
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now + 10 * ttl + 1, '+inf')) do
  redis.call('ZADD', KEYS[1], now + ttl, name)
end
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 10)
