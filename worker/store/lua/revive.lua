-- revive: let a dead letter's URL wait again, as a new task of its own seq, and remove the letter.
-- KEYS tag   ARGV entry_id reason host priority revision accepted_ms tail
-- returns seq > 0 | 0 no such letter any more                 O(log hosts)
local id, reason, host, priority, revision, accepted_ms, tail = unpack(ARGV)
if #redis.call('XRANGE', P .. 'dead', id, id) == 0 then
  return 0
end
local seq = next_seq()
line_up(host, table.concat({seq, 0, 0, accepted_ms, revision, priority, tail}, ' '))
redis.call('XDEL', P .. 'dead', id)
offer(host)
count('dead', -1)
count('dead:' .. reason, -1)
count('waiting', 1)
count('revived', 1)
return seq
