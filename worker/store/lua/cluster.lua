-- cluster: which stories articles tell: each that of the first article with which it shares enough fingerprints.
-- KEYS tag   ARGV days least {count article fingerprint…}…
--   days: how long a story is known at least; at most twice as long
--   least: so many shared fingerprints make a copy
--   count: how many fingerprints the article has
--   article: its id in bytes, which names the story that it is the first of
--   fingerprint: the name of the hash that it stands in (4 letters), and the rest of its bytes; in an order that is
--     the same for all articles
-- returns for each the id of the story's first article, in bytes                          O(fingerprints)
-- Of two sets in one order that share `least`, the first ones share one already, if but `least` - 1 are left out
-- of each (prefix filtering: Chaudhuri et al., "A primitive operator for similarity joins", 2006). So only those
-- are looked for, and only those of first articles are kept.
local span = ARGV[1] * 86400
local now = tonumber(redis.call('TIME')[1])
local age = math.floor(now / span)
local of_age = {KEYS[1] .. ':' .. age .. ':', KEYS[1] .. ':' .. age - 1 .. ':'}  -- this one's keys, the last one's
local least = tonumber(ARGV[2])
local IN_RECORD = 3  -- bytes of a fingerprint: enough to count what one story shares, and Redis packs 64 bytes
local STORIES_IN_HASH = 64
local STORIES_OF_FINGERPRINT = 8  -- more have it only where it is a publisher's boilerplate

-- A story is kept by a number of its age, which Redis packs into a few bytes: here stands whose it is, and the
-- fingerprints of that article.
local function place_of_record(keys, number)
  return keys .. 'story:' .. math.floor(number / STORIES_IN_HASH), number % STORIES_IN_HASH
end

local function keep(key, field, value)
  redis.call('HSET', key, field, value)
  if redis.call('HLEN', key) == 1 then
    redis.call('EXPIRE', key, (age + 2) * span - now)
  end
end

-- The article's id and its fingerprints, shortened: as a record, and as a set.
local function record_of(article, first, last)
  local record, prints = {article}, {}
  for i = first, last do
    local short = string.sub(ARGV[i], -IN_RECORD)
    record[#record + 1], prints[short] = short, true
  end
  return table.concat(record), prints
end

local function shared(record, prints, from)
  local count = 0
  for at = from, #record, IN_RECORD do
    count = count + (prints[string.sub(record, at, at + IN_RECORD - 1)] and 1 or 0)
  end
  return count
end

-- Where the article's first fingerprints stand now, and the first article of the story that it tells, if it is
-- known. Of several stories it is the earliest: so whoever asks again hears the same, whatever came between.
local function look_for(article, prints, first, last)
  local places, looked_at, found, earliest = {}, {}, nil, math.huge
  for i = first, last - least + 1 do
    local name, field = string.sub(ARGV[i], 1, 4), string.sub(ARGV[i], 5)
    local key = of_age[1] .. 'prints:' .. name
    local now_has = redis.call('HGET', key, field)
    places[#places + 1] = {key, field, now_has}
    for spans_ago, numbers in pairs({[0] = now_has, redis.call('HGET', of_age[2] .. 'prints:' .. name, field)}) do
      for number in string.gmatch(numbers or '', '%d+') do
        local rank = number - spans_ago * 2 ^ 40
        local is_new = not looked_at[rank] and rank < earliest
        looked_at[rank] = true
        local record = is_new and redis.call('HGET', place_of_record(of_age[spans_ago + 1], tonumber(number)))
        if record and shared(record, prints, #article + 1) >= least then
          found, earliest = string.sub(record, 1, #article), rank
        end
      end
    end
  end
  return places, found
end

local function begin_story(record, places)
  local number = redis.call('INCR', of_age[1] .. 'stories')
  if number == 1 then
    redis.call('EXPIRE', of_age[1] .. 'stories', (age + 2) * span - now)
  end
  local key, field = place_of_record(of_age[1], number)
  keep(key, field, record)
  for _, each in ipairs(places) do
    local key, field, numbers = unpack(each)
    if not numbers then
      keep(key, field, number)
    elseif select(2, string.gsub(numbers, '%d+', '')) < STORIES_OF_FINGERPRINT then
      redis.call('HSET', key, field, numbers .. ' ' .. number)
    end
  end
end

local replies, at = {}, 3
while at <= #ARGV do
  local article, first, last = ARGV[at + 1], at + 2, at + 1 + ARGV[at]
  local record, prints = record_of(article, first, last)
  local places, found = look_for(article, prints, first, last)
  if not found and #places > 0 then
    begin_story(record, places)
  end
  replies[#replies + 1], at = found or article, last + 1
end
return replies
