-- reap: take back leases that ran out. Their tasks are suspects: each runs next alone in its process.
-- KEYS tag   ARGV limit
-- returns {worker, host, line, worker, host, line, …}, the lines as they wait now      O(limit · log leases)
local now, reply = now_ms(), {}
for _, token in ipairs(redis.call('ZRANGEBYSCORE', P .. 'leases', '-inf', now, 'LIMIT', 0, ARGV[1])) do
  local record = redis.call('HGET', P .. 'leased', token)
  local worker, host, seq, attempt, crashes, rest =
    string.match(record, '^([^ ]+) ([^ ]+) (%d+) (%d+) (%d+) (.*)$')
  local line = table.concat({seq, attempt, crashes + 1, rest}, ' ')
  redis.call('RPUSH', P .. 'suspects', host .. ' ' .. line)
  redis.call('HDEL', P .. 'leased', token)
  redis.call('ZREM', P .. 'leases', token)
  vacate(host, now, 0)
  count('leased', -1)
  count('waiting', 1)
  count('reaped', 1)
  table.insert(reply, worker)
  table.insert(reply, host)
  table.insert(reply, line)
end
return reply
