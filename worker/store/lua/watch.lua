-- watch: let the watch over sources go on, and say what is known of these and of those whose silence is due.
-- KEYS tag   ARGV step_ms limit source…
--   step_ms: time counts as watched only up to so long after the last look: while no worker ran, none was silent
--   limit: so many due ones at most
-- returns watched_ms, then source, habit for each; a habit that is not known is empty   O(sources + limit · log)
local step, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = now_ms()
local kept = redis.call('HMGET', P .. 'clock', 'watched', 'watched_at')
local watched = tonumber(kept[1] or 0) + math.max(math.min(now - tonumber(kept[2] or now), step), 0)
local told = string.format('%d', watched)
redis.call('HSET', P .. 'clock', 'watched', told, 'watched_at', string.format('%d', now))

local reply = {told}
local function tell(source)
  local habit = redis.call('GET', P .. 'habit:' .. source)
  table.insert(reply, source)
  table.insert(reply, habit or '')
  return habit
end

for i = 3, #ARGV do
  tell(ARGV[i])
end
for _, source in ipairs(redis.call('ZRANGEBYSCORE', P .. 'habits', '-inf', told, 'LIMIT', 0, limit)) do
  if not tell(source) then
    redis.call('ZREM', P .. 'habits', source)
    redis.call('ZREM', P .. 'silent', source)
  end
end
return reply
