-- feed_remove: watch a feed no longer, and forget its entries. Who looks at it right now loses the lease.
-- KEYS feeds   ARGV id
-- returns 1 | 0 it was not watched                                                              O(entries seen)
local feed = Q .. 'feed:' .. ARGV[1]
local token = redis.call('HGET', feed, 'token')
if token then
  redis.call('HDEL', Q .. 'feed_leases', token)
end
leave_root(feed)
redis.call('ZREM', KEYS[1], ARGV[1])
-- An operator removes feeds, and has no right to DEL.
redis.call('PEXPIRE', Q .. 'feed_seen:' .. ARGV[1], 0)
return redis.call('PEXPIRE', feed, 0)
