-- leases: how one begins and ends; put after the hosts in each script of a partition.
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
  local token = next_seq()
  redis.call('HSET', P .. 'leased', token, worker .. ' ' .. host .. ' ' .. line)
  redis.call('ZADD', P .. 'leases', now + lease_ms, token)
  occupy(host, token, now)
  count('waiting', -1)
  count('leased', 1)
  return token
end

-- Ends the lease and frees its host. `signal` says how its request went, see vacate(); `confirmed` holds the tokens
-- whose settling its worker has heard back. Returns {1, changes of the host, rest_ms}, as vacate() says.
local function settle(token, now, signal, confirmed)
  local record = redis.call('HGET', P .. 'leased', token)
  local host = string.match(record, '^[^ ]+ ([^ ]+) ')
  redis.call('HDEL', P .. 'leased', token)
  redis.call('ZREM', P .. 'leases', token)
  redis.call('ZADD', P .. 'settled', now, token)
  redis.call('ZREMRANGEBYSCORE', P .. 'settled', '-inf', now - SETTLED_KEPT_MS)
  for old in string.gmatch(confirmed, '%d+') do
    redis.call('ZREM', P .. 'settled', old)
  end
  local changes, rest_ms = vacate(host, token, now, signal)
  count('leased', -1)
  return {1, changes, rest_ms}
end

-- Ends turns (see turn_begin) that ran out before `ended`: whoever had them has died.
local function end_turns(ended, limit)
  for _, turn in ipairs(redis.call('ZRANGEBYSCORE', P .. 'turns', '-inf', ended, 'LIMIT', 0, limit)) do
    local id, host = string.match(turn, '^(%d+) (.*)$')
    redis.call('ZREM', P .. 'turns', turn)
    vacate(host, tonumber(id), now_ms(), '0 none 0')
  end
end
