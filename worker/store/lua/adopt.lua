-- adopt: move what a silent worker had taken from the inbox to this worker's taken list.
-- KEYS workers taken_of_silent taken   ARGV silent limit
-- returns how many items were moved                            O(limit)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_ms = redis.call('ZSCORE', KEYS[1], ARGV[1])
if until_ms and tonumber(until_ms) > now then
  return 0
end
local moved = 0
while moved < tonumber(ARGV[2]) and redis.call('LMOVE', KEYS[2], KEYS[3], 'LEFT', 'RIGHT') do
  moved = moved + 1
end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return moved
