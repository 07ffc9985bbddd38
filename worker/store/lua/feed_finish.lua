-- feed_finish: end the lease: keep what was learnt of the feed, and when it is due again.
-- KEYS feeds   ARGV id token due_ms (from now; -1: never again) forget_ms most field value…
--   entries that last stood in the feed forget_ms ago or more are forgotten, and the oldest beyond `most`
--   a field with an empty value is dropped
-- returns 1 done | 2 already done by this token | 0 the lease was lost       O(fields + forgotten · log seen)
local id, token = ARGV[1], ARGV[2]
local due_ms, forget_ms, most = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local feed, seen, now = Q .. 'feed:' .. id, Q .. 'feed_seen:' .. id, now_ms()
if leased(token) ~= id then
  return redis.call('HGET', feed, 'ended_by') == token and 2 or 0
end
redis.call('HSET', feed, 'ended_by', token, 'looked_ms', string.format('%d', now))
redis.call('HDEL', feed, 'token', 'crashes')
redis.call('HDEL', Q .. 'feed_leases', token)
for i = 6, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', feed, ARGV[i])
  else
    redis.call('HSET', feed, ARGV[i], ARGV[i + 1])
  end
end
redis.call('ZADD', KEYS[1], due_ms < 0 and 'inf' or now + due_ms, id)
redis.call('ZREMRANGEBYSCORE', seen, '-inf', now - forget_ms)
redis.call('PEXPIRE', seen, forget_ms)
local beyond = redis.call('ZCARD', seen) - most
if beyond > 0 then
  redis.call('ZPOPMIN', seen, beyond)
end
return 1
