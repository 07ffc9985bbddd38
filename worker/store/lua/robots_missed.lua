-- robots_missed: an origin's robots.txt could not be had; an older copy stays. It is asked for again after as
-- long as it has been down: a minute at least, an hour at most; never before least_ms.
-- A copy is in force for the host's next turn, however long that takes to come (it may be the breaker's probe):
-- a host that fails to give its robots.txt, and nothing else, would be asked for that alone.
-- KEYS tag   ARGV origin host owner least_ms
-- returns fresh_ms down_ms [file]                                                                         O(1)
local origin, host, owner, least_ms = unpack(ARGV)
local key = P .. 'robots:' .. origin
local now = now_ms()
local kept = redis.call('HMGET', key, 'down_since', 'file')
local since = tonumber(kept[1] or now)
local again_ms = math.max(math.min(math.max(now - since, 60000), 3600000), tonumber(least_ms))
if kept[2] then
  local rules, known = policy(host), state(host)
  local turn_ms = math.max(
    rest_of(host), tonumber(least_ms), doubled(rules.penalty, known.strikes + 1, rules.longest_penalty),
    doubled(rules.open, known.opened + 1, rules.longest_open))
  again_ms = math.max(again_ms, math.floor(2 * turn_ms + 60000))
end
redis.call('HSET', key, 'down_since', since, 'fresh_until', string.format('%d', now + again_ms))
end_asking(key, owner)
redis.call('PEXPIRE', key, ROBOTS_KEPT_MS)
return {again_ms, now - since, kept[2] or nil}
