-- prelude: what the scripts of one partition share; put before each of them.
-- KEYS[1] is the partition's tag, such as {ingest:0}: every key a script touches starts with it, so that all
-- of them live in one slot.
-- A script's first write is one that Redis may refuse under maxmemory: Lua has no rollback, and Redis checks
-- only the first.
local P = KEYS[1] .. ':'
local SETTLED_KEPT_MS = 3600000

local function wall_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The time that everything is scheduled by: Redis' clock, but it never goes back. A server whose clock is set
-- back by an hour would otherwise let every host wait for that hour. `claim` keeps the last time seen.
local function now_ms()
  local kept = redis.call('HMGET', P .. 'clock', 'last', 'ahead')
  local last, ahead = tonumber(kept[1] or 0), tonumber(kept[2] or 0)
  local now = wall_ms() + ahead
  if now < last then
    redis.call('HINCRBY', P .. 'clock', 'ahead', last - now)
    return last
  end
  return now
end

local function count(field, by)
  redis.call('HINCRBY', P .. 'ledger', field, by)
end

-- spacing_ms, slots: the operator's word for the host, else the fleet's default, made slower by a Crawl-delay.
local policies = {}
local function policy(host)
  if policies[host] then
    return unpack(policies[host])
  end
  local own = redis.call('HGET', P .. 'policy', host)
  local spacing, slots = string.match(own or redis.call('HGET', P .. 'policy', '*') or '1000 1', '^(%d+) (%d+)$')
  spacing, slots = tonumber(spacing), tonumber(slots)
  local crawl_delay = not own and tonumber(redis.call('HGET', P .. 'crawl_delay', host) or 0) or 0
  if crawl_delay > spacing then
    spacing, slots = crawl_delay, 1
  end
  policies[host] = {spacing, slots}
  return spacing, slots
end

-- busy, at: requests under way against the host, and the earliest time of the next one.
local function state(host)
  local fields = redis.call('HMGET', P .. 'host:' .. host, 'busy', 'at')
  return tonumber(fields[1] or 0), tonumber(fields[2] or 0)
end

-- A host stands in `ready` if and only if it has a URL waiting and a slot free.
local function offer(host)
  local busy, at = state(host)
  local _, slots = policy(host)
  if busy < slots and redis.call('EXISTS', P .. 'high:' .. host, P .. 'wait:' .. host) > 0 then
    redis.call('ZADD', P .. 'ready', at, host)
  else
    redis.call('ZREM', P .. 'ready', host)
  end
end

-- Takes one of the host's slots, and spaces the next request from now.
local function occupy(host, now)
  local key = P .. 'host:' .. host
  local spacing = policy(host)
  redis.call('HINCRBY', key, 'busy', 1)
  redis.call('HSET', key, 'at', now + spacing)
  redis.call('PERSIST', key)
end

-- Gives a slot back. With one slot, the spacing counts from the end of the request: counted from its start, a
-- request that was slow to leave this machine would reach the host closer to the next one than allowed.
local function vacate(host, now, hold_ms)
  local key = P .. 'host:' .. host
  local busy, at = state(host)
  local spacing, slots = policy(host)
  busy = math.max(busy - 1, 0)
  at = math.max(at, now + hold_ms, slots == 1 and now + spacing or 0)
  redis.call('HSET', key, 'busy', busy, 'at', at)
  if busy == 0 then
    redis.call('PEXPIRE', key, math.max(at - now, 1))
  end
  offer(host)
end

-- The end of a host's queue for the line's priority (its sixth field: 1 is high).
local function line_up(host, line)
  local high = string.match(line, '^%d+ %d+ %d+ %d+ %d+ (%d)') == '1'
  redis.call('RPUSH', P .. (high and 'high:' or 'wait:') .. host, line)
end

-- 1 the lease is ours | 2 this token has settled it before | 0 it was lost
local function standing(token)
  if redis.call('HEXISTS', P .. 'leased', token) == 1 then
    return 1
  end
  return redis.call('ZSCORE', P .. 'settled', token) and 2 or 0
end

-- Creates a lease; returns its token. The caller takes the line from where it waits, then offers the host anew.
-- The record is "worker host line".
local function lease(worker, host, line, now, lease_ms)
  local token = redis.call('INCR', P .. 'seq')
  redis.call('HSET', P .. 'leased', token, worker .. ' ' .. host .. ' ' .. line)
  redis.call('ZADD', P .. 'leases', now + lease_ms, token)
  occupy(host, now)
  count('waiting', -1)
  count('leased', 1)
  return token
end

-- Ends the lease and frees its host. `confirmed` holds the tokens whose settling its worker has heard back.
local function settle(token, now, hold_ms, confirmed)
  local record = redis.call('HGET', P .. 'leased', token)
  local host = string.match(record, '^[^ ]+ ([^ ]+) ')
  redis.call('HDEL', P .. 'leased', token)
  redis.call('ZREM', P .. 'leases', token)
  redis.call('ZADD', P .. 'settled', now, token)
  redis.call('ZREMRANGEBYSCORE', P .. 'settled', '-inf', now - SETTLED_KEPT_MS)
  for old in string.gmatch(confirmed, '%d+') do
    redis.call('ZREM', P .. 'settled', old)
  end
  vacate(host, now, hold_ms)
  count('leased', -1)
end
