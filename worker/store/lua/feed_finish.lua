-- feed_finish: end the lease: keep what was learnt of the feed, and when it is due again.
-- KEYS feeds   ARGV id token due_ms (from now; -1: never again) forget_ms most read (0 | 1) field value…
--   read: 1 where the feed's document was: only then did feed_look note what still stands in it, and entries that
--   last did so forget_ms ago or more are forgotten; the oldest beyond `most` are always
--   a field with an empty value is dropped
-- returns 1 done | 2 already done by this token | 0 the lease was lost       O(fields + forgotten · log seen)
local id, token = ARGV[1], ARGV[2]
local due_ms, forget_ms, most = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local feed, seen, now = Q .. 'feed:' .. id, Q .. 'feed_seen:' .. id, now_ms()
local was_read = ARGV[6] == '1'
if leased(token) ~= id then
  return redis.call('HGET', feed, 'ended_by') == token and 2 or 0
end
redis.call('HSET', feed, 'ended_by', token, 'looked_ms', string.format('%d', now))
redis.call('HDEL', feed, 'token', 'crashes')
redis.call('HDEL', Q .. 'feed_leases', token)
for i = 7, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', feed, ARGV[i])
  else
    redis.call('HSET', feed, ARGV[i], ARGV[i + 1])
  end
end
if due_ms < 0 then
  leave_root(feed)
end
redis.call('ZADD', KEYS[1], due_ms < 0 and 'inf' or now + due_ms, id)
if was_read then
  redis.call('ZREMRANGEBYSCORE', seen, '-inf', now - forget_ms)
end
redis.call('PEXPIRE', seen, forget_ms)
local beyond = redis.call('ZCARD', seen) - most
if beyond > 0 then
  redis.call('ZPOPMIN', seen, beyond)
end
return 1
