-- prelude: what the scripts of one partition share; put before each of them.
-- KEYS[1] is the partition's tag, such as {ingest:0}: every key a script touches starts with it, so that all
-- of them live in one slot.
-- A script's first write is one that Redis may refuse under maxmemory: Lua has no rollback, and Redis checks
-- only the first.
local P = KEYS[1] .. ':'
local SETTLED_KEPT_MS = 3600000
local LEAP = 100000
local WEEK_MS = 7 * 86400000
local ROBOTS_KEPT_MS = 31 * 86400000
-- Redis packs a hash of 512 fields at most. Hashes are not filled evenly: when one has so many, none has more than 512.
local SEEN_PACKED = 460

-- The time that everything is scheduled by.
local function now_ms()
  return steady_ms(P .. 'clock')
end

-- A number that the partition never gave before, to a task or a lease. Redis may have forgotten the last ones that
-- it gave, in a failover or with a disk's last second, while workers still hold leases and replies under them. What
-- runs on after either has another replication id: then the numbers leap, by a length that is drawn from that id.
-- One that was always the same would give the same numbers again where a second loss takes the first leap back.
local seq, more = nil, 0  -- the last number that this run gave, and how many of them Redis has not heard of
local function next_seq()
  if seq then
    seq, more = seq + 1, more + 1
    return seq
  end
  local id = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
  local known = redis.call('HGET', P .. 'clock', 'replid')
  if known ~= id then
    redis.call('HSET', P .. 'clock', 'replid', id)
    if known then
      redis.call('INCRBY', P .. 'seq', LEAP + tonumber(string.sub(id, 1, 4), 16))
    end
  end
  seq = redis.call('INCR', P .. 'seq')
  return seq
end

local function last_seq()
  return seq or tonumber(redis.call('GET', P .. 'seq') or 0)
end

local counts = {}
local function count(field, by)
  counts[field] = (counts[field] or 0) + by
end

-- What a script counts is written once, at its end (or where it fails): a batch counts as much as its items.
local function commit_counts()
  for field, by in pairs(counts) do
    if by ~= 0 then
      redis.call('HINCRBY', P .. 'ledger', field, by)
    end
  end
  if more > 0 then
    redis.call('INCRBY', P .. 'seq', more)
  end
end

-- The end of a host's queue for the line's priority (its sixth field: 1 is high).
local function line_up(host, line)
  local high = string.match(line, '^%d+ %d+ %d+ %d+ %d+ (%d)') == '1'
  redis.call('RPUSH', P .. (high and 'high:' or 'wait:') .. host, line)
end

-- On which level the URLs of a week are remembered now: a week of many millions fills the hashes of level 0, and
-- what comes then goes to those of level 1, which are four times as many, and so on.
local seen_levels = {}
local function seen_level(week)
  local level = seen_levels[week] or tonumber(redis.call('GET', P .. 'seen:' .. week) or 0)
  seen_levels[week] = level
  return level
end

-- Where it is remembered that a URL was accepted or ended in a week: key, field. Up to some hundreds of URLs share a
-- hash, which Redis packs into 16 bytes each; one hash for all would take 87.
local function seen_place(week, level, digest)
  local first, second, third = string.byte(digest, 1, 3)
  if level == 0 then
    return P .. string.format('seen:%d:%04x', week, first * 64 + math.floor(second / 4)), string.sub(digest, 2)
  end
  local bits = math.floor((first * 65536 + second * 256 + third) / 4 ^ (5 - level))
  return P .. string.format('seen:%d:%d:%x', week, level, bits), string.sub(digest, 3)
end

-- Remembers the URL as accepted or ended now, by the time of the week, in ms.
local is_sampled = false  -- one look a run at how full the hashes are: they fill at the same pace
local function see(digest, wall, seen_days)
  local week, kept_s = math.floor(wall / WEEK_MS), (seen_days + 8) * 86400
  local level = seen_level(week)
  local key, field = seen_place(week, level, digest)
  if redis.call('HSET', key, field, string.format('%d', wall - week * WEEK_MS)) == 1 then
    redis.call('EXPIRE', key, kept_s)
    if not is_sampled and level < 5 and redis.call('HLEN', key) >= SEEN_PACKED then
      redis.call('SET', P .. 'seen:' .. week, level + 1, 'EX', kept_s)
      seen_levels[week] = level + 1
    end
    is_sampled = true
  end
end

-- Gives the right to ask for a robots.txt back; after its end, another one may have it.
local function end_asking(key, owner)
  if redis.call('HGET', key, 'asker') == owner then
    redis.call('HDEL', key, 'asker', 'asking_until')
  end
end

-- Where the revision of the last published event of a URL is kept: key, field. Some hundreds of them share a
-- hash, which Redis packs into 10 bytes each: they are kept for good.
local function revision_place(digest)
  return P .. string.format('revisions:%02x%02x', string.byte(digest, 1, 2)), string.sub(digest, 3)
end

-- The revision, and where it is kept. 0: no event of it was ever published.
local function revision_of(digest)
  local key, field = revision_place(digest)
  return tonumber(redis.call('HGET', key, field) or 0), key, field
end
