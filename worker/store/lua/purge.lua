-- purge: delete dead letters for good. The ledger's `dead` still counts them: they did end so.
-- KEYS tag   ARGV entry_id…
-- returns how many were there                                 O(ids)
local gone = redis.call('XDEL', P .. 'dead', unpack(ARGV))
count('purged', gone)
return gone
