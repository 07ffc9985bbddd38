-- feed_push: put entries into the queue and remember them, in one step: none is pushed twice, nor forgotten between.
-- KEYS feeds queue   ARGV token (digest item)…
--   an item that is empty is only remembered
-- returns the items pushed under this lease so far, also by calls before | -1 the lease was lost
-- O(entries · log seen)
local id = leased(ARGV[1])
if not id then
  return -1
end
local seen, feed, now = Q .. 'feed_seen:' .. id, Q .. 'feed:' .. id, now_ms()
for i = 2, #ARGV, 2 do
  local digest, item = ARGV[i], ARGV[i + 1]
  if not redis.call('ZSCORE', seen, digest) then
    if item ~= '' then
      redis.call('RPUSH', KEYS[2], item)
      redis.call('HINCRBY', feed, 'pushed_now', 1)
      redis.call('HINCRBY', feed, 'pushed', 1)
    end
    redis.call('ZADD', seen, now, digest)
  end
end
return tonumber(redis.call('HGET', feed, 'pushed_now'))
