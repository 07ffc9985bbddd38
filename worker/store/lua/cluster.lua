-- cluster: which story an article tells: that of the first article with which it shares enough fingerprints.
-- KEYS tag   ARGV days least article fingerprint…
--   days: how long a story is known at least; at most twice as long
--   least: so many shared fingerprints make a copy
--   article: its id in bytes, which names the story that it is the first of
--   fingerprint: 6 bytes each
-- returns the id of the story's first article, in bytes                                   O(fingerprints)
-- Only a first article's fingerprints are kept: a copy of a copy must be like the first one, too, and copies cost
-- nothing. One that another story has already stays that one's.
local days, least, article = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local now, span = tonumber(redis.call('TIME')[1]), days * 86400
local age = math.floor(now / span)

-- By the first 14 bits, so that Redis packs up to some hundreds into one hash.
local function place(number, fingerprint)
  local first, second = string.byte(fingerprint, 1, 2)
  return KEYS[1] .. string.format(':%d:%04x', number, first * 64 + math.floor(second / 4)), string.sub(fingerprint, 2)
end

local votes, best, free = {}, nil, {}
for i = 4, #ARGV do
  local key, field = place(age, ARGV[i])
  local story = redis.call('HGET', key, field) or redis.call('HGET', place(age - 1, ARGV[i]))
  if story then
    votes[story] = (votes[story] or 0) + 1
    if not best or votes[story] > votes[best] then
      best = story
    end
  else
    table.insert(free, {key, field})
  end
end
if best and votes[best] >= least then
  return best
end
for _, each in ipairs(free) do
  redis.call('HSET', each[1], each[2], article)
  redis.call('EXPIRE', each[1], (age + 2) * span - now)
end
return article
