-- take: fill this worker's taken list from the inbox, each item under a number of its own.
-- KEYS queue taken numbers workers   ARGV limit limit_bytes worker ttl_ms
-- returns the whole taken list, "number item" each: what a lost reply or a dead worker left is found again
-- O(limit)
--   numbers rise with the clock, in microseconds: a failover may make Redis forget the last ones, and none may be
--   given twice while a worker still admits what it took under it
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local limit, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local have = redis.call('LLEN', KEYS[2])
while have < limit and room > 0 and redis.call('LLEN', KEYS[1]) > 0 do
  -- INCR comes first: the one write here that Redis may refuse under maxmemory, before anything has moved.
  local number = redis.call('INCR', KEYS[3])
  if number < now_us then
    number = now_us
    redis.call('SET', KEYS[3], string.format('%d', number))
  end
  local item = redis.call('LPOP', KEYS[1])
  redis.call('RPUSH', KEYS[2], string.format('%d', number) .. ' ' .. item)
  have = have + 1
  room = room - #item
end
-- A worker that was given up while it slept must stand among the workers again before it holds anything:
-- else nobody would look for what it holds when it dies.
if have > 0 and not redis.call('ZSCORE', KEYS[4], ARGV[3]) then
  redis.call('ZADD', KEYS[4], time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[4]), ARGV[3])
end
return redis.call('LRANGE', KEYS[2], 0, -1)
