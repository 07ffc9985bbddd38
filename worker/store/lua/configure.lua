-- configure: set the fleet's policy, and what differs for single hosts; whatever is not named is gone.
-- KEYS tag   ARGV partitions (0 where readers do not look for it), host words, ..., * words: see
-- worker.store.hosts.Hosts.configure
-- The number of partitions never falls: whoever reads a stream in which nothing comes loses nothing.
-- A host whose own rule changed is asked as the new one says from now on: were a spacing of a day an error, its next
-- request would else come a day after the correction. What the host itself asked for stands.
-- O(rules · log hosts)
local partitions = tonumber(ARGV[1])
if partitions > tonumber(redis.call('GET', P .. 'partitions') or 0) then
  redis.call('SET', P .. 'partitions', partitions)
end

local stale, changed = {}, {}
local known = redis.call('HGETALL', P .. 'policy')
for i = 1, #known, 2 do
  stale[known[i]] = known[i + 1]
end
for i = 2, #ARGV, 2 do
  local host, words = ARGV[i], ARGV[i + 1]
  if stale[host] ~= words then
    redis.call('HSET', P .. 'policy', host, words)
    table.insert(changed, host)
  end
  stale[host] = nil
end
for host in pairs(stale) do
  redis.call('HDEL', P .. 'policy', host)
  table.insert(changed, host)
end

local now = now_ms()
for _, host in ipairs(changed) do
  if host ~= '*' then
    local due = math.max(now + rest_of(host), state(host).held)
    if state(host).at > due then
      state(host).at = due
      keep(host, now)
    end
    offer(host)
  end
end
