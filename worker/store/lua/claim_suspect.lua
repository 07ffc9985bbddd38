-- claim_suspect: lease one URL whose worker vanished while holding it, if its host may be asked now.
-- KEYS tag   ARGV worker lease_ms
-- returns {} | {token, host, line, probe 0|1}                            O(suspects looked at)
local LOOKED_AT = 100
local now = now_ms()
-- Its one lease is all that this worker may hold: a claim whose reply was lost is found again by that.
local memory = P .. 'claim:' .. ARGV[1]
local token = redis.call('GET', memory)
local record = token and redis.call('HGET', P .. 'leased', token)
if record then
  local host, line = string.match(record, '^[^ ]+ ([^ ]+) (.*)$')
  return {tonumber(token), host, line, is_probe(host, token) and 1 or 0}
end
for _, entry in ipairs(redis.call('LRANGE', P .. 'suspects', 0, LOOKED_AT - 1)) do
  local host, line = string.match(entry, '^([^ ]+) (.*)$')
  if may_be_asked(host, now) then
    token = lease(ARGV[1], host, line, now, tonumber(ARGV[2]))
    commit_leases()
    redis.call('LREM', P .. 'suspects', 1, entry)
    offer(host)
    redis.call('SET', memory, token, 'PX', ARGV[2])
    return {token, host, line, is_probe(host, token) and 1 or 0}
  end
end
return {}
