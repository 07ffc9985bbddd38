-- learn: keep what was made of sources, each only if its habit is still the one that this was made of.
-- KEYS tag   ARGV source before after due_ms ttl_ms silent_since, …
--   before, after: the habit; before is empty for a new one
--   due_ms: when there is something to tell of it, by the watch; empty: not at all
--   ttl_ms: how long the habit lives; empty: as long as before
--   silent_since: the last article's Unix time, while its silence was told and lasts; else empty
-- returns for each 1 kept, by this call or the same one before | 0 another worker has changed it  O(sources · log)
local function rank(zset, source, score)
  if score == '' then
    redis.call('ZREM', P .. zset, source)
  else
    redis.call('ZADD', P .. zset, score, source)
  end
end

local reply = {}
for i = 1, #ARGV, 6 do
  local source, before, after, due, ttl, since = unpack(ARGV, i, i + 5)
  local key = P .. 'habit:' .. source
  local known = redis.call('GET', key) or ''
  if known == before then
    if ttl == '' then
      redis.call('SET', key, after, 'KEEPTTL')
    else
      redis.call('SET', key, after, 'PX', ttl)
    end
    rank('habits', source, due)
    rank('silent', source, since)
  end
  table.insert(reply, (known == before or known == after) and 1 or 0)
end
return reply
