-- feed_extend: keep the lease for longer.
-- KEYS feeds   ARGV token lease_ms
-- returns 1 | 0 it was lost                                                                          O(log feeds)
local id = leased(ARGV[1])
if not id then
  return 0
end
redis.call('ZADD', KEYS[1], now_ms() + tonumber(ARGV[2]), id)
return 1
