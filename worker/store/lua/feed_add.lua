-- feed_add: watch a feed, unless it is watched already.
-- KEYS feeds   ARGV id delay_ms revive (0 | 1: also one that has ended) root most field value…
--   root: the id of the feed, added by name, under which it was found, or empty; of these `most` are watched
-- returns 1 it is watched from now on | 0 it was before (nothing has changed) | -1 it has ended
--   | -2 there are `most`, or the root is watched no longer                                          O(log feeds)
local id, delay_ms, revive, root, most = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4], tonumber(ARGV[5])
local feed = Q .. 'feed:' .. id
if redis.call('EXISTS', feed) == 1 then
  if redis.call('HGET', feed, 'state') ~= 'ended' then
    return 0
  elseif not revive then
    return -1
  end
end
if root ~= '' then
  local above = Q .. 'feed:' .. root
  if redis.call('EXISTS', above) == 0 or tonumber(redis.call('HGET', above, 'sitemaps') or 0) >= most then
    return -2
  end
  redis.call('HINCRBY', above, 'sitemaps', 1)
  redis.call('HSET', feed, 'root', root)
end
redis.call('HSET', feed, unpack(ARGV, 6))
redis.call('HSET', feed, 'added_ms', string.format('%d', now_ms()))
redis.call('ZADD', KEYS[1], now_ms() + delay_ms, id)
return 1
