-- finish: publish the event and free the host, if the lease is still ours.
-- KEYS tag   ARGV token hold_ms confirmed counter field value…
--   counter: articles | unchanged, the ledger's name for this end
-- returns 1 done | 2 already done by this token | 0 lease lost          O(log hosts)
local answer = standing(ARGV[1])
if answer ~= 1 then
  return answer
end
redis.call('XADD', P .. 'articles', '*', unpack(ARGV, 5))
settle(ARGV[1], now_ms(), tonumber(ARGV[2]), ARGV[3])
count(ARGV[4], 1)
return 1
