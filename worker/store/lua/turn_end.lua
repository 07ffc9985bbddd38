-- turn_end: give the slot back, and learn from how the request went.
-- KEYS tag   ARGV id host signal
-- returns {1, changes of the host, rest_ms}, as vacate() says | {0} it had ended already            O(log hosts)
local id, host = tonumber(ARGV[1]), ARGV[2]
if redis.call('ZREM', P .. 'turns', string.format('%d', id) .. ' ' .. host) == 0 then
  return {0}
end
local changes, rest_ms = vacate(host, id, now_ms(), ARGV[3])
return {1, changes, rest_ms}
