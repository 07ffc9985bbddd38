-- cluster: which story an article tells: that of the first article with which it shares enough fingerprints.
-- KEYS tag   ARGV days least article fingerprint…
--   days: how long a story is known at least; at most twice as long
--   least: so many shared fingerprints make a copy
--   article: its id in bytes, which names the story that it is the first of
--   fingerprint: the name of the hash that it stands in (4 letters), and the rest of its bytes; in an order that is
--     the same for all articles
-- returns the id of the story's first article, in bytes                                   O(fingerprints)
-- Of two sets in one order that share `least`, the first ones share one already, if but `least` - 1 are left out
-- of each (prefix filtering: Chaudhuri et al., "A primitive operator for similarity joins", 2006). So only those
-- are looked for, and only those of first articles are kept.
local span = ARGV[1] * 86400
local now = tonumber(redis.call('TIME')[1])
local age = math.floor(now / span)
local of_age = {KEYS[1] .. ':' .. age .. ':', KEYS[1] .. ':' .. age - 1 .. ':'}  -- this one's keys, the last one's
local least, article = tonumber(ARGV[2]), ARGV[3]
local last = #ARGV - least + 1
local IN_RECORD = 3  -- bytes of a fingerprint: enough to count what one story shares, and Redis packs 64 bytes
local STORIES_IN_HASH = 64
local STORIES_OF_FINGERPRINT = 8  -- more have it only where it is a publisher's boilerplate

-- A story is kept by a number of its age, which Redis packs into a few bytes: here stands whose it is, and the
-- fingerprints of that article.
local function place_of_record(keys, number)
  return keys .. 'first:' .. math.floor(number / STORIES_IN_HASH), number % STORIES_IN_HASH
end

local function keep(key, field, value)
  redis.call('HSET', key, field, value)
  if redis.call('HLEN', key) == 1 then
    redis.call('EXPIRE', key, (age + 2) * span - now)
  end
end

local ours = {}
for i = 4, #ARGV do
  ours[string.sub(ARGV[i], -IN_RECORD)] = true
end

local function shared_with(record)
  local shared = 0
  for at = #article + 1, #record, IN_RECORD do
    shared = shared + (ours[string.sub(record, at, at + IN_RECORD - 1)] and 1 or 0)
  end
  return shared
end

-- Of several stories it is the earliest: so whoever asks again hears the same, whatever came between.
local looked_at, found = {}, nil
local function look_at(spans_ago, number)
  local rank = number - spans_ago * 2 ^ 40
  if looked_at[rank] or found and found.rank < rank then
    return
  end
  looked_at[rank] = true
  local record = redis.call('HGET', place_of_record(of_age[spans_ago + 1], number))
  if record and shared_with(record) >= least then
    found = {rank = rank, first = string.sub(record, 1, #article)}
  end
end

local places = {}
for i = 4, last do
  local name, field = string.sub(ARGV[i], 1, 4), string.sub(ARGV[i], 5)
  local now_has = redis.call('HGET', of_age[1] .. name, field)
  places[i - 3] = {of_age[1] .. name, field, now_has}
  for spans_ago, numbers in pairs({[0] = now_has, redis.call('HGET', of_age[2] .. name, field)}) do
    for number in string.gmatch(numbers or '', '%d+') do
      look_at(spans_ago, tonumber(number))
    end
  end
end
if found then
  return found.first
end
if #places > 0 then
  local number = redis.call('INCR', of_age[1] .. 'stories')
  if number == 1 then
    redis.call('EXPIRE', of_age[1] .. 'stories', (age + 2) * span - now)
  end
  local record = {article}
  for i = 4, #ARGV do
    table.insert(record, string.sub(ARGV[i], -IN_RECORD))
  end
  local key, field = place_of_record(of_age[1], number)
  keep(key, field, table.concat(record))
  for _, each in ipairs(places) do
    local key, field, numbers = unpack(each)
    if not numbers then
      keep(key, field, number)
    elseif select(2, string.gsub(numbers, '%d+', '')) < STORIES_OF_FINGERPRINT then
      redis.call('HSET', key, field, numbers .. ' ' .. number)
    end
  end
end
return article
