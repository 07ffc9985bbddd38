-- claim: lease up to `limit` URLs, one of each host that may be asked now.
-- KEYS tag   ARGV worker claim_id limit lease_ms max_backlog
-- returns {paused 0|1, next_due_ms or -1, token, host, line, probe 0|1, token, host, line, probe, …}
--   probe: 1 where the request tries a host whose breaker is open
-- The same claim_id again returns the same leases: a reply lost on the wire strands nothing.
-- O((limit + due) · log hosts)
local MOVED_AT_ONCE = 100
local worker, claim_id = ARGV[1], ARGV[2]
local limit, lease_ms, max_backlog = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local now = now_ms()
local memory = P .. 'claim:' .. worker

local function due_in(key)
  local first = redis.call('ZRANGE', P .. key, 0, 0, 'WITHSCORES')
  return first[2] and math.max(0, first[2] - now)
end

local reply = {0, -1}
local function tell(token, host, line)
  for _, word in ipairs({token, host, line, is_probe(host, token) and 1 or 0}) do
    table.insert(reply, word)
  end
end

local said = redis.call('GET', memory)
if said and string.match(said, '^[^ ]+') == claim_id then
  reply[2] = 0
  for token in string.gmatch(string.sub(said, #claim_id + 1), '%d+') do
    local record = redis.call('HGET', P .. 'leased', token)
    if record then
      local host, line = string.match(record, '^[^ ]+ ([^ ]+) (.*)$')
      tell(tonumber(token), host, line)
    end
  end
  return reply
end

if max_backlog > 0 and redis.call('XLEN', P .. 'articles') >= max_backlog then
  return {1, -1}
end

redis.call('HSET', P .. 'clock', 'last', now)
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', P .. 'later', '-inf', now, 'LIMIT', 0, MOVED_AT_ONCE)) do
  local host, line = string.match(entry, '^([^ ]+) (.*)$')
  line_up(host, line)
  redis.call('ZREM', P .. 'later', entry)
  offer(host)
end

local tokens, claimed = {claim_id}, {}
local function lease_one_of_each()
  for _, host in ipairs(redis.call('ZRANGEBYSCORE', P .. 'ready', '-inf', now, 'LIMIT', 0, limit)) do
    -- The rules may have changed since it was put there.
    if may_be_asked(host, now) then
      local queue = P .. (redis.call('EXISTS', P .. 'high:' .. host) == 1 and 'high:' or 'wait:') .. host
      local line = redis.call('LINDEX', queue, 0)
      local token = lease(worker, host, line, now, lease_ms)
      table.insert(claimed, {queue, host})
      table.insert(tokens, token)
      tell(token, host, line)
    else
      offer(host)
    end
  end
end

-- Should it fail at a host that is damaged, what was leased before is a lease, and waits no more.
local is_well, fault = pcall(lease_one_of_each)
commit_leases()
for _, each in ipairs(claimed) do
  redis.call('LPOP', each[1])
  offer(each[2])
end
if not is_well then
  error(fault, 0)
end
if #tokens > 1 then
  redis.call('SET', memory, table.concat(tokens, ' '), 'PX', lease_ms)
end

local ready, later = due_in('ready'), due_in('later')
reply[2] = math.min(ready or math.huge, later or math.huge)
if reply[2] == math.huge then
  reply[2] = -1
end
return reply
