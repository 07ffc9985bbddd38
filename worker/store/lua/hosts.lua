-- hosts: the policy of hosts, which the fleet shares; it follows the prelude in each script of a partition.
-- What is known of a host is the hash host:<host>; what is 0 or empty is left out:
--   busy      requests under way                   at      the earliest time of the next one (ms)
--   latency   of its answers, smoothed (ms)        strikes how often it asked for rest, healed by successes
--   lag       what failures make of the latency where that is more, halved by each success (ms)
--   failures  in a row, while the breaker is closed
--   opened    how often in a row the breaker has opened; 0: it is closed
--   held      the end of the last rest that it asked for, or that the breaker gave it (ms)
--   probe     the token that tries an open host    address the one that it was last reached at
-- It goes once the host is idle, and if there was something to learn, an hour later.
local HOST_KEPT_MS = 3600000
-- A host whose address is full waits in parked:<address>, and is called when a slot is free there. Should the
-- call fail (the address was forgotten meanwhile), the host looks again by itself after this time.
local PARKED_MS = 10000
local STATE = {'busy', 'at', 'probe', 'address', 'latency', 'lag', 'strikes', 'failures', 'opened', 'held'}
-- The fleet's numbers, in the order of worker.store.hosts.HostPolicy. A worker of an older release writes fewer.
local RULES = {
  'spacing', 'slots', 'factor', 'longest_delay', 'penalty', 'longest_penalty', 'failures', 'open', 'longest_open',
  'address_slots',
}
local DEFAULTS = {1000, 1, 0, 30000, 10000, 3600000, 0, 60000, 3600000, 0}

local fleet
local policies, states = {}, {}

-- The rules for a host. What the operator says of it ("spacing_ms slots factor", a - where nothing is said) goes
-- before the fleet's; a Crawl-delay makes it slower, unless the operator has said how fast.
local function policy(host)
  if policies[host] then
    return policies[host]
  end
  local texts = redis.call('HMGET', P .. 'policy', host, fleet and '-' or '*')
  if not fleet then
    local word = string.gmatch(texts[2] or '', '%S+')
    fleet = {}
    for i = 1, #RULES do
      fleet[RULES[i]] = tonumber(word() or '') or DEFAULTS[i]
    end
    fleet.__index = fleet
  end
  local rules = setmetatable({crawl_delay = 0}, fleet)
  local said = false
  if texts[1] then
    local spacing, slots, factor = string.match(texts[1], '^(%S+) (%S+) ?(%S*)')
    rules.spacing, rules.slots, rules.factor = tonumber(spacing), tonumber(slots), tonumber(factor)
    said = rawget(rules, 'spacing') ~= nil
  end
  if not said then
    rules.crawl_delay = tonumber(redis.call('HGET', P .. 'crawl_delay', host) or 0)
    if rules.crawl_delay > rules.spacing then
      rules.spacing, rules.slots = rules.crawl_delay, 1
    end
  end
  policies[host] = rules
  return rules
end

local function state(host)
  if not states[host] then
    local kept = redis.call('HMGET', P .. 'host:' .. host, unpack(STATE))
    local known = {in_redis = kept, probe = kept[3] or '', address = kept[4] or ''}
    for i = 1, #STATE do
      known[STATE[i]] = known[STATE[i]] or tonumber(kept[i] or 0)
      kept[i] = kept[i] and known[STATE[i]]
    end
    states[host] = known
  end
  return states[host]
end

-- Writes what has changed.
local function keep(host, now)
  local key, known = P .. 'host:' .. host, state(host)
  local in_redis, has_learnt = known.in_redis, false
  local was_idle = in_redis[1] == 0
  local words, gone = {}, {}
  for i = 1, #STATE do
    local value = known[STATE[i]]
    local stands = i <= 2 or value ~= 0 and value ~= ''  -- busy and at are never left out
    has_learnt = has_learnt or i > 2 and stands
    if stands and in_redis[i] ~= value then
      words[#words + 1], words[#words + 2] = STATE[i], value
    elseif in_redis[i] and not stands then
      gone[#gone + 1] = STATE[i]
    end
    in_redis[i] = stands and value
  end
  if #words > 0 then
    redis.call('HSET', key, unpack(words))
  end
  if #gone > 0 then
    redis.call('HDEL', key, unpack(gone))
  end
  if known.busy == 0 then
    redis.call('PEXPIRE', key, math.max(known.at - now, 1) + (has_learnt and HOST_KEPT_MS or 0))
  elseif was_idle then
    redis.call('PERSIST', key)
  end
end

-- Whether the breaker keeps the host for one probe at a time.
local function is_open(host)
  return policy(host).failures > 0 and state(host).opened > 0
end

local function slots_of(host)
  return is_open(host) and 1 or policy(host).slots
end

local function latency_of(host)
  return math.max(state(host).latency, state(host).lag)
end

-- ms to rest between two requests: the spacing, and more where the host is slow to answer. With one slot it is
-- counted from the end of a request; with more from start to start, where each has its share of the latency.
local function rest_of(host)
  local rules = policy(host)
  local slowed = math.min(rules.factor * latency_of(host) / rules.slots, rules.longest_delay)
  return math.floor(math.max(rules.spacing, slowed))
end

local function requests_at(address)
  return tonumber(redis.call('GET', P .. 'address:' .. address) or 0)
end

local function is_crowded(host)
  local address, limit = state(host).address, policy(host).address_slots
  return limit > 0 and address ~= '' and requests_at(address) >= limit
end

-- A host stands in `ready` if and only if it has a URL waiting and a slot free: since its score, or from then on.
local function offer(host)
  local known, moment = state(host), now_ms()
  if known.busy >= slots_of(host) or redis.call('EXISTS', P .. 'high:' .. host, P .. 'wait:' .. host) == 0 then
    redis.call('ZREM', P .. 'ready', host)
  elseif is_crowded(host) then
    local parked = P .. 'parked:' .. known.address
    redis.call('ZADD', parked, known.at, host)
    redis.call('PEXPIRE', parked, HOST_KEPT_MS)
    redis.call('ZADD', P .. 'ready', math.max(known.at, moment + PARKED_MS), host)
  elseif known.at < moment then
    redis.call('ZADD', P .. 'ready', 'LT', moment, host)
  else
    redis.call('ZADD', P .. 'ready', known.at, host)
  end
end

local function may_be_asked(host, now)
  local known = state(host)
  return known.busy < slots_of(host) and known.at <= now and not is_crowded(host)
end

-- Counts requests under way at an address: those of all hosts that are known to be there.
local function crowd(address, by)
  if address ~= '' and by ~= 0 and redis.call('INCRBY', P .. 'address:' .. address, by) <= 0 then
    redis.call('DEL', P .. 'address:' .. address)
  end
end

-- Calls the hosts that wait for a slot at the address, those first that have waited longest.
local function unpark(address, limit)
  local free = limit > 0 and math.max(limit - requests_at(address), 0) or HOST_KEPT_MS
  local called = redis.call('ZPOPMIN', P .. 'parked:' .. address, math.min(free, 100))
  for i = 1, #called, 2 do
    offer(called[i])
  end
end

-- Takes one of the host's slots for the token, and spaces the next request from now.
local function occupy(host, token, now)
  local known = state(host)
  -- With one slot, its end will tell: what is known of the latency by then may be less.
  local rest = slots_of(host) == 1 and policy(host).spacing or rest_of(host)
  known.busy, known.at = known.busy + 1, now + rest
  if is_open(host) then
    known.probe = string.format('%d', token)
  end
  if known.address ~= '' then
    crowd(known.address, 1)
    redis.call('ZREM', P .. 'parked:' .. known.address, host)
  end
  keep(host, now)
end

local function is_probe(host, token)
  return state(host).probe == string.format('%d', token)
end

-- base, doubled with each time after the first, up to longest.
local function doubled(base, times, longest)
  return math.min(base * 2 ^ math.min(times - 1, 40), longest)
end

local function mean(known, new)
  return known == 0 and new or math.ceil((known + new) / 2)
end

-- The mean of the new latency and what was known. A failure may come fast: it can slow the host down only. What it
-- adds stays apart, so that successes without a latency of their own (a 304, a redirect) heal it too.
local function learn_latency(known, sign, latency)
  if sign == 'ok' then
    known.latency = latency > 0 and mean(known.latency, latency) or known.latency
    known.lag = math.floor(known.lag / 2)
  elseif latency > 0 then
    known.lag = math.max(known.lag, mean(math.max(known.latency, known.lag), latency))
  end
  if known.lag <= known.latency then
    known.lag = 0
  end
end

-- A strike for each time that the host asks for rest; a success takes one away. Returns the rest (ms): what the
-- host asked for, or a penalty that doubles with each strike.
local function penalise(known, rules, sign, asked)
  if sign == 'ok' then
    known.strikes = math.max(known.strikes - 1, 0)
  elseif sign == 'throttled' then
    -- Beyond the longest penalty, more strikes would only make the healing longer.
    if doubled(rules.penalty, known.strikes, rules.longest_penalty) < rules.longest_penalty then
      known.strikes = known.strikes + 1
    end
    return asked > 0 and asked or doubled(rules.penalty, known.strikes, rules.longest_penalty)
  end
  return asked
end

-- Moves the breaker. Returns opened | closed | nothing, and the rest (ms). While it is open, only the probe has a
-- say: what else ends now was begun before.
local function judge(host, sign, probed)
  local known, rules = state(host), policy(host)
  if rules.failures == 0 then
    known.failures, known.opened = 0, 0
  elseif sign == 'none' or known.opened > 0 and not probed then
    return nil, 0
  elseif sign == 'failed' then
    known.failures = known.failures + 1
    if probed or known.failures >= rules.failures then
      known.opened = known.opened + 1
      return 'opened', doubled(rules.open, known.opened, rules.longest_open)
    end
  else
    local closed = known.opened > 0
    known.failures, known.opened = 0, 0
    return closed and 'closed' or nil, 0
  end
  return nil, 0
end

-- Moves the host to the address that it was reached at, with what is under way there.
local function locate(host, address)
  local known, limit = state(host), policy(host).address_slots
  if limit == 0 then
    address = known.busy > 0 and known.address or ''
  elseif address == '' then
    return
  end
  if address ~= known.address then
    crowd(known.address, -known.busy)
    crowd(address, known.busy)
    known.address = address
  end
end

-- Gives the token's slot back, and learns from how its request went: "hold_ms sign latency_ms[ address]".
-- Returns what changed (any of held, opened, closed; joined by spaces), and for how long the host rests now (ms).
local function vacate(host, token, now, signal)
  local hold, sign, latency, address = string.match(signal, '^(%d+) (%a+) (%d+) ?(.*)$')
  local known, rules, changes = state(host), policy(host), {}
  local probed = is_probe(host, token)
  if probed then
    known.probe = ''
  end
  if rules.factor > 0 then
    learn_latency(known, sign, tonumber(latency))
  end
  local rest = penalise(known, rules, sign, tonumber(hold))
  if sign == 'throttled' then
    table.insert(changes, 'held')
  end
  local change, open_ms = judge(host, sign, probed)
  table.insert(changes, change)
  rest = math.floor(math.max(rest, open_ms))
  known.held = math.max(known.held, now + rest)
  if known.held <= now then
    known.held = 0
  end
  local left = known.busy > 0 and known.address or ''
  crowd(left, -1)
  known.busy = math.max(known.busy - 1, 0)
  -- With one slot, the rest counts from the end of the request: counted from its start, a request that was slow
  -- to leave this machine would reach the host closer to the next one than allowed.
  known.at = math.max(known.at, now + rest, slots_of(host) == 1 and now + rest_of(host) or 0)
  locate(host, address)
  keep(host, now)
  offer(host)
  if left ~= '' then
    unpark(left, rules.address_slots)
  end
  return table.concat(changes, ' '), rest
end
