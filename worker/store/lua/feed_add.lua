-- feed_add: watch a feed, unless it is watched already.
-- KEYS feeds   ARGV id delay_ms revive (0 | 1: also one that has ended) field value…
-- returns 1 it is watched from now on | 0 it was before (nothing has changed) | -1 it has ended      O(log feeds)
local id, delay_ms, revive = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local feed = Q .. 'feed:' .. id
if redis.call('EXISTS', feed) == 1 then
  if redis.call('HGET', feed, 'state') ~= 'ended' then
    return 0
  elseif not revive then
    return -1
  end
end
redis.call('HSET', feed, unpack(ARGV, 4))
redis.call('HSET', feed, 'added_ms', string.format('%d', now_ms()))
redis.call('ZADD', KEYS[1], now_ms() + delay_ms, id)
return 1
