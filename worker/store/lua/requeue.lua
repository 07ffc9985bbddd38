-- requeue: end the lease without an end of the task: it waits again, maybe under another host.
-- KEYS tag   ARGV token signal confirmed counter place host line delay_ms
--   counter: retried | redirected | released | robots, counted in the ledger
--   place: later (after delay_ms) | front (next of its host) | suspects (alone again)
-- returns {1, change, rest_ms} done, as settle() says | 2 already done by this token | 0 lease lost          O(log hosts)
local token, signal, confirmed, counter, place, host, line, delay_ms = unpack(ARGV)
local answer, was = standing(token)
if answer ~= 1 then
  return answer
end
local now = now_ms()
if place == 'later' then
  redis.call('ZADD', P .. 'later', now + tonumber(delay_ms), host .. ' ' .. line)
elseif place == 'suspects' then
  redis.call('RPUSH', P .. 'suspects', host .. ' ' .. line)
else
  local high = string.match(line, '^%d+ %d+ %d+ %d+ %d+ (%d)') == '1'
  redis.call('LPUSH', P .. (high and 'high:' or 'wait:') .. host, line)
end
-- What counts as another host now keeps the Crawl-delay of the one that it was.
local crawl_delay = counter == 'released' and was ~= host and redis.call('HGET', P .. 'crawl_delay', was)
if crawl_delay then
  redis.call('HSETNX', P .. 'crawl_delay', host, crawl_delay)
end
local settled = settle(token, was, now, signal)
if was ~= host then
  offer(host)
end
forget_settled(confirmed)
count('waiting', 1)
count(counter, 1)
return settled
