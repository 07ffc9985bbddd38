-- feeds: what the scripts of feeds share; put before each of them. Their keys are in the inbox's slot, so that an
-- entry is pushed and remembered in one step.
-- KEYS[1] is {ingest:queue}:feeds, a zset: feed id → when it is due (ms), the end of its lease, or inf: ended.
-- feed:<id> is a hash of what is known of the feed, feed_seen:<id> a zset: digest of an entry's URL → when it last
-- stood in the feed (ms), feed_leases a hash: token → feed id.
local Q = string.sub(KEYS[1], 1, -#'feeds' - 1)

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The feed that the token holds a lease of; nothing where another one has taken it over, or it was removed.
local function leased(token)
  local id = redis.call('HGET', Q .. 'feed_leases', token)
  if id and redis.call('HGET', Q .. 'feed:' .. id, 'token') == token then
    return id
  end
end
