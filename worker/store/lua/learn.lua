-- learn: keep what was made of sources, each only if its habit is still the one that this was made of.
-- KEYS tag   ARGV source before after due_ms ttl_ms, …
--   before, after: the habit; before is empty for a new one
--   due_ms: when its silence is to be told, by the watch; empty: not at all
-- returns for each 1 kept, by this call or the same one before | 0 another worker has changed it  O(sources · log)
local reply = {}
for i = 1, #ARGV, 5 do
  local source, before, after, due, ttl = unpack(ARGV, i, i + 4)
  local key = P .. 'habit:' .. source
  local known = redis.call('GET', key) or ''
  if known == before then
    redis.call('SET', key, after, 'PX', ttl)
    if due == '' then
      redis.call('ZREM', P .. 'habits', source)
    else
      redis.call('ZADD', P .. 'habits', due, source)
    end
  end
  table.insert(reply, (known == before or known == after) and 1 or 0)
end
return reply
