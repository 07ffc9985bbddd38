-- untake: remove what this worker has admitted from its taken list.
-- KEYS taken   ARGV number…
-- returns the numbers that were still there: another worker may have adopted the rest        O(taken)
local taken = redis.call('LRANGE', KEYS[1], 0, -1)
local mine, gone, entries = {}, {}, {}
for _, number in ipairs(ARGV) do
  mine[number] = true
end
for _, entry in ipairs(taken) do
  local number = string.match(entry, '^%d+')
  if mine[number] then
    table.insert(gone, number)
    entries[#gone] = entry
  end
end
if #gone == #taken then
  redis.call('DEL', KEYS[1])
else
  for i = 1, #gone do
    redis.call('LREM', KEYS[1], 1, entries[i])
  end
end
return gone
