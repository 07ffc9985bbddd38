-- bury: write the dead letter and free the host, if the lease is still ours.
-- KEYS tag   ARGV token hold_ms confirmed reason field value…
-- returns 1 done | 2 already done by this token | 0 lease lost          O(log hosts)
local answer = standing(ARGV[1])
if answer ~= 1 then
  return answer
end
redis.call('XADD', P .. 'dead', '*', unpack(ARGV, 5))
settle(ARGV[1], now_ms(), tonumber(ARGV[2]), ARGV[3])
count('dead', 1)
count('dead:' .. ARGV[4], 1)
return 1
