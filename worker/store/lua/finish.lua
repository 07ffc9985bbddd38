-- finish: publish the event, keep the visit and free the host, if the lease is still ours.
-- KEYS tag   ARGV token signal confirmed counter digest revision article_id visit visit_ttl_s field value…
--   counter: articles | unchanged, the ledger's name for this end
--   revision: the event's own, or with `unchanged` that of the last published event
--   visit: what the next visit needs, as JSON; empty: nothing
-- returns {1, change, rest_ms} done, as settle() says | 2 already done by this token | 0 lease lost
--   | 3 another task has published the article meanwhile: nothing was written          O(log hosts)
local token, signal, confirmed, counter, digest, revision, article, visit, visit_ttl_s = unpack(ARGV)
local answer = standing(token)
if answer ~= 1 then
  return answer
end
local last = revision_of(digest)
if tonumber(revision) < (counter == 'articles' and last + 1 or last) then
  return 3
end
redis.call('XADD', P .. 'articles', '*', unpack(ARGV, 10))
if counter == 'articles' then
  local key, field = revision_place(digest)
  redis.call('HSET', key, field, revision)
end
if visit ~= '' then
  local at_ms = string.format('%d', wall_ms())
  redis.call('SET', P .. 'visit:' .. article, table.concat({at_ms, revision, visit}, ' '), 'EX', visit_ttl_s)
end
local settled = settle(token, now_ms(), signal, confirmed)
count(counter, 1)
return settled
