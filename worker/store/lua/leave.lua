-- leave: sign off at shutdown, unless something is still taken: then this worker counts as dead in its time,
-- and another one adopts it.
-- KEYS workers taken   ARGV worker
-- returns 1 signed off | 0 not yet                             O(log workers)
if redis.call('LLEN', KEYS[2]) > 0 then
  return 0
end
redis.call('ZREM', KEYS[1], ARGV[1])
return 1
