-- feeds: what the scripts of feeds share; put before each of them. Their keys are in the inbox's slot, so that an
-- entry is pushed and remembered in one step.
-- KEYS[1] is {ingest:queue}:feeds, a zset: feed id → when it is due (ms), the end of its lease, or inf: ended.
-- feed:<id> is a hash of what is known of the feed, feed_seen:<id> a zset: digest of an entry's URL → when it last
-- stood in the feed (ms), feed_leases a hash: token → feed id.
local Q = string.sub(KEYS[1], 1, -#'feeds' - 1)

-- The time that feeds are due by; `feed_claim` keeps the last one seen.
local function now_ms()
  return steady_ms(Q .. 'feed_clock')
end

-- Count a sitemap no longer among those of the index that it was found under: it has ended, or is watched no longer.
local function leave_root(feed)
  local root = redis.call('HGET', feed, 'root')
  if root and redis.call('EXISTS', Q .. 'feed:' .. root) == 1 then
    redis.call('HINCRBY', Q .. 'feed:' .. root, 'sitemaps', -1)
  end
  redis.call('HDEL', feed, 'root')
end

-- The feed that the token holds a lease of; nothing where another one has taken it over, or it was removed.
local function leased(token)
  return redis.call('HGET', Q .. 'feed_leases', token)
end
