-- clock: Redis' time, as scripts go by it; put before the prelude, and before feeds.
-- A script runs at one moment. Redis stops its clock for it only since version 7: before, what is offered half-way
-- could be due a millisecond after the claim that it is offered to.
local wall
local function wall_ms()
  if not wall then
    local time = redis.call('TIME')
    wall = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return wall
end

-- The same, but it never goes back: a server whose clock is set back by an hour would otherwise let all that waits
-- wait for that hour. The hash `key` has the last time seen, which claims keep, and how far we are ahead of Redis.
local moment
local function steady_ms(key)
  if not moment then
    local kept = redis.call('HMGET', key, 'last', 'ahead')
    local last, ahead = tonumber(kept[1] or 0), tonumber(kept[2] or 0)
    moment = wall_ms() + ahead
    if moment < last then
      redis.call('HINCRBY', key, 'ahead', last - moment)
      moment = last
    end
  end
  return moment
end

