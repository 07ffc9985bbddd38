-- feed_claim: lease the feed that is most overdue.
-- KEYS feeds   ARGV token lease_ms
-- returns {-1} nothing will ever be due | {ms until one is} | {0, id, field, value, …}, with those of the feed
-- The same token again gives the same lease. A lease that ran out is taken over, and counts as a crash: its feeder
-- may have died of the feed.                                                                          O(log feeds)
local token, lease_ms = ARGV[1], tonumber(ARGV[2])
local now = now_ms()
local id = leased(token)
if not id then
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  if not first[1] or first[2] == 'inf' then
    return {-1}
  elseif tonumber(first[2]) > now then
    return {math.ceil(tonumber(first[2]) - now)}
  end
  redis.call('HSET', Q .. 'feed_clock', 'last', string.format('%d', now))
  id = first[1]
  local feed = Q .. 'feed:' .. id
  redis.call('HSET', Q .. 'feed_leases', token, id)
  local before = redis.call('HGET', feed, 'token')
  if before then
    redis.call('HDEL', Q .. 'feed_leases', before)
    redis.call('HINCRBY', feed, 'crashes', 1)
  end
  redis.call('HSET', feed, 'token', token, 'pushed_now', 0)
  redis.call('ZADD', KEYS[1], now + lease_ms, id)
end
local reply = redis.call('HGETALL', Q .. 'feed:' .. id)
table.insert(reply, 1, id)
table.insert(reply, 1, 0)
return reply
