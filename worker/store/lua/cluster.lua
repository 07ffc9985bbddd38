-- cluster: which story an article tells: that of the first article with which it shares enough fingerprints.
-- KEYS tag   ARGV days least article fingerprint…
--   days: how long a story is known at least; at most twice as long
--   least: so many shared fingerprints make a copy
--   article: its id in bytes, which names the story that it is the first of
--   fingerprint: 6 bytes each
-- returns the id of the story's first article, in bytes                                   O(fingerprints)
-- Only a first article's fingerprints are kept: a copy of a copy must be like the first one, too, and copies cost
-- nothing. A fingerprint that another story has already stays that one's.
local span = ARGV[1] * 86400
local now = tonumber(redis.call('TIME')[1])
local age = math.floor(now / span)

-- By the first 14 bits, so that Redis packs up to some hundreds into one hash.
local function place(of_age, fingerprint)
  local first, second = string.byte(fingerprint, 1, 2)
  local part = string.format(':%d:%04x', of_age, first * 64 + math.floor(second / 4))
  return KEYS[1] .. part, string.sub(fingerprint, 2)
end

-- A story is kept by a number of its age, which Redis packs into a few bytes: here stands whose it is.
local function place_of_first(of_age, number)
  return KEYS[1] .. string.format(':%d:first:%d', of_age, math.floor(number / 256)), number % 256
end

local function keep(key, field, value)
  redis.call('HSET', key, field, value)
  if redis.call('HLEN', key) == 1 then
    redis.call('EXPIRE', key, (age + 2) * span - now)
  end
end

local votes, best, most, free = {}, nil, 0, {}
for i = 4, #ARGV do
  local of_age, key, field = age, place(age, ARGV[i])
  local number = redis.call('HGET', key, field)
  if not number then
    of_age, number = age - 1, redis.call('HGET', place(age - 1, ARGV[i]))
  end
  if number then
    local story = of_age .. ' ' .. number
    votes[story] = (votes[story] or 0) + 1
    if votes[story] > most then
      best, most = {of_age, tonumber(number)}, votes[story]
    end
  else
    table.insert(free, {key, field})
  end
end
if most >= tonumber(ARGV[2]) then
  return redis.call('HGET', place_of_first(unpack(best)))
end
local number = redis.call('INCR', KEYS[1] .. ':' .. age .. ':stories')
if number == 1 then
  redis.call('EXPIRE', KEYS[1] .. ':' .. age .. ':stories', (age + 2) * span - now)
end
local key, field = place_of_first(age, number)
keep(key, field, ARGV[3])
for _, each in ipairs(free) do
  keep(each[1], each[2], number)
end
return ARGV[3]
