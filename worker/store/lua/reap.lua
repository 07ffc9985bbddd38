-- reap: take back leases that ran out. Their tasks are suspects: each runs next alone in its process.
-- KEYS tag   ARGV limit last_ms gap_ms
--   last_ms: the time of the caller's last look, -1 if it is the first, 0 to look in any case. Nothing is taken
--   back on a first look, nor when more than gap_ms have passed since the last one: while Redis hung or its
--   clock jumped, no worker could extend.
-- returns {now, worker, host, line, worker, host, line, …}, the lines as they wait now
-- O(limit · log leases)
local now, last = now_ms(), tonumber(ARGV[2])
local reply = {now}
if last ~= 0 and (last < 0 or now - last > tonumber(ARGV[3])) then
  return reply
end
for _, token in ipairs(redis.call('ZRANGEBYSCORE', P .. 'leases', '-inf', now, 'LIMIT', 0, ARGV[1])) do
  local record = redis.call('HGET', P .. 'leased', token)
  local worker, host, seq, attempt, crashes, rest =
    string.match(record, '^([^ ]+) ([^ ]+) (%d+) (%d+) (%d+) (.*)$')
  local line = table.concat({seq, attempt, crashes + 1, rest}, ' ')
  redis.call('RPUSH', P .. 'suspects', host .. ' ' .. line)
  redis.call('HDEL', P .. 'leased', token)
  redis.call('ZREM', P .. 'leases', token)
  vacate(host, token, now, '0 none 0')
  count('leased', -1)
  count('waiting', 1)
  count('reaped', 1)
  table.insert(reply, worker)
  table.insert(reply, host)
  table.insert(reply, line)
end
redis.call('ZREMRANGEBYSCORE', P .. 'settled', '-inf', now - SETTLED_KEPT_MS)
end_turns(now, tonumber(ARGV[1]))
return reply
