-- turn_begin: take one of the host's slots for a request that is no task's, such as a feed's.
-- KEYS tag   ARGV id host turn_ms longest_ms
--   turn_ms: after the wait, the turn lasts so long unless it is asked for again; then it ends by itself
--   longest_ms: a turn that can begin only later than that is not taken
-- returns {1, wait_ms} the turn is taken, and begins so much later | {0, wait_ms} ask again then      O(log hosts)
-- The same id again gives the same turn for another turn_ms, and what is left of its wait.
local id, host, turn_ms, longest_ms = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local now, name = now_ms(), string.format('%d', id) .. ' ' .. host
local ends = redis.call('ZSCORE', P .. 'turns', name)
if ends then
  redis.call('ZADD', P .. 'turns', math.max(tonumber(ends), now + turn_ms), name)
  return {1, math.max(0, tonumber(ends) - turn_ms - now)}
end
-- Where no worker reaps. A turn only looks expired after an outage: it gets its time once more.
end_turns(now - turn_ms, 10)
local known = state(host)
local wait = math.max(0, known.at - now)
if known.busy >= slots_of(host) or is_crowded(host) then
  return {0, math.max(wait, 100)}
elseif wait > longest_ms then
  return {0, wait}
end
-- Taken before it begins: a host with many URLs waiting is never free for long.
redis.call('ZADD', P .. 'turns', now + wait + turn_ms, name)
occupy(host, id, now + wait)
offer(host)
return {1, wait}
