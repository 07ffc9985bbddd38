-- feed_look: which of these entries are new; those that are known are noted as still in the feed.
-- KEYS feeds   ARGV token digest…
-- returns {1, index (from 0) of each new one…} | {0} the lease was lost                     O(digests · log seen)
local id = leased(ARGV[1])
if not id then
  return {0}
end
local seen, now, reply = Q .. 'feed_seen:' .. id, now_ms(), {1}
for i = 2, #ARGV do
  if redis.call('ZSCORE', seen, ARGV[i]) then
    redis.call('ZADD', seen, now, ARGV[i])
  else
    reply[#reply + 1] = i - 2
  end
end
return reply
