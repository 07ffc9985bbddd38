-- bury: write the dead letter and free the host, if the lease is still ours.
-- KEYS tag   ARGV token signal confirmed reason digest seen_days field value…
-- returns {1, change, rest_ms} done, as settle() says | 2 already done by this token | 0 lease lost          O(log hosts)
local answer, host = standing(ARGV[1])
if answer ~= 1 then
  return answer
end
redis.call('XADD', P .. 'dead', '*', unpack(ARGV, 7))
see(ARGV[5], wall_ms(), tonumber(ARGV[6]))
forget_settled(ARGV[3])
count('dead', 1)
count('dead:' .. ARGV[4], 1)
return settle(ARGV[1], host, now_ms(), ARGV[2])
