-- extend: keep leases for another lease_ms from now.
-- KEYS tag   ARGV lease_ms token…
-- returns the tokens that are lost                            O(tokens · log leases)
local now, lost = now_ms(), {}
for i = 2, #ARGV do
  if redis.call('HEXISTS', P .. 'leased', ARGV[i]) == 1 then
    redis.call('ZADD', P .. 'leases', now + tonumber(ARGV[1]), ARGV[i])
  elseif not redis.call('ZSCORE', P .. 'settled', ARGV[i]) then
    -- One that was settled is not lost: its worker is about to hear the answer.
    table.insert(lost, tonumber(ARGV[i]))
  end
end
return lost
