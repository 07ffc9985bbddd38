-- reject: bury an inbox item that can never become a task.
-- KEYS tag   ARGV number field value…   (the dead letter)
-- returns 1 done | 2 already done for this number          O(log items)
if redis.call('ZSCORE', P .. 'admitted', ARGV[1]) then
  return 2
end
redis.call('XADD', P .. 'dead', '*', unpack(ARGV, 2))
redis.call('ZADD', P .. 'admitted', next_seq(), ARGV[1])
count('accepted', 1)
count('dead', 1)
count('dead:malformed', 1)
return 1
