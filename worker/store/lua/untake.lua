-- untake: remove what this worker has admitted from its taken list.
-- KEYS taken   ARGV number…
-- returns the numbers that were still there: another worker may have adopted the rest        O(taken)
local mine, gone = {}, {}
for _, number in ipairs(ARGV) do
  mine[number] = true
end
for _, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local number = string.match(entry, '^%d+')
  if mine[number] then
    redis.call('LREM', KEYS[1], 1, entry)
    table.insert(gone, number)
  end
end
return gone
