-- leases: how one begins and ends; put after the hosts in each script of a partition.
-- Their records are written together: those of a batch cost little more than one.
local begun, due, ended, settled_at = {}, {}, {}, {}
local is_ended = {}

-- 1, host: the lease is ours | 2 this token has settled it before | 0 it was lost. A record is "worker host line".
local function standing(token)
  if is_ended[token] then
    return 2
  end
  local record = redis.call('HGET', P .. 'leased', token)
  if record then
    return 1, string.match(record, '^[^ ]+ ([^ ]+) ')
  end
  return redis.call('ZSCORE', P .. 'settled', token) and 2 or 0
end

-- Creates a lease; returns its token. The caller writes it by commit_leases(), takes the line from where it waits,
-- then offers the host anew.
local function lease(worker, host, line, now, lease_ms)
  local token, n = next_seq(), #begun
  occupy(host, token, now)
  begun[n + 1], begun[n + 2] = token, worker .. ' ' .. host .. ' ' .. line
  due[n + 1], due[n + 2] = now + lease_ms, token
  count('waiting', -1)
  count('leased', 1)
  return token
end

-- Ends the lease and frees its host. `signal` says how its request went, see vacate(). Returns
-- {1, changes of the host, rest_ms}, as vacate() says.
local function settle(token, host, now, signal)
  local n = #ended
  is_ended[token] = true
  ended[n + 1] = token
  settled_at[2 * n + 1], settled_at[2 * n + 2] = now, token
  count('leased', -1)
  return {1, vacate(host, token, now, signal)}
end

-- Lets go of tokens whose settling its worker has heard back.
local function forget_settled(confirmed)
  local tokens = {}
  for token in string.gmatch(confirmed, '%d+') do
    tokens[#tokens + 1] = token
  end
  if #tokens > 0 then
    redis.call('ZREM', P .. 'settled', unpack(tokens))
  end
end

local function commit_leases()
  if #begun > 0 then
    redis.call('HSET', P .. 'leased', unpack(begun))
    redis.call('ZADD', P .. 'leases', unpack(due))
    begun, due = {}, {}
  end
  if #ended > 0 then
    redis.call('HDEL', P .. 'leased', unpack(ended))
    redis.call('ZREM', P .. 'leases', unpack(ended))
    redis.call('ZADD', P .. 'settled', unpack(settled_at))
    ended, settled_at = {}, {}
  end
end

-- Ends turns (see turn_begin) that ran out before a time: whoever had them has died.
local function end_turns(before, limit)
  for _, turn in ipairs(redis.call('ZRANGEBYSCORE', P .. 'turns', '-inf', before, 'LIMIT', 0, limit)) do
    local id, host = string.match(turn, '^(%d+) (.*)$')
    redis.call('ZREM', P .. 'turns', turn)
    vacate(host, tonumber(id), now_ms(), '0 none 0')
  end
end
