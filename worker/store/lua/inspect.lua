-- inspect: what the fleet makes of hosts, for an operator's eyes. Writes nothing.
-- KEYS tag   ARGV host…
-- returns for each {waiting, busy, next_in_ms, spacing_ms, fleet_spacing_ms, slots, strikes, failures, opened,
--   probing 0|1, crawl_delay_ms, latency_ms, address}                                          O(hosts)
local now = wall_ms() + tonumber(redis.call('HGET', P .. 'clock', 'ahead') or 0)
local replies = {}
for _, host in ipairs(ARGV) do
  local known, rules = state(host), policy(host)
  local waiting = redis.call('LLEN', P .. 'high:' .. host) + redis.call('LLEN', P .. 'wait:' .. host)
  local at = tonumber(redis.call('ZSCORE', P .. 'ready', host) or known.at)
  table.insert(replies, {
    waiting, known.busy, math.max(at - now, 0), rest_of(host), fleet.spacing, slots_of(host),
    known.strikes, known.failures, is_open(host) and known.opened or 0, known.probe ~= '' and 1 or 0,
    rules.crawl_delay, latency_of(host), known.address,
  })
end
return replies
