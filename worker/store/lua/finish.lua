-- finish: publish events, keep the visits and free the hosts, each if its lease is still ours.
-- KEYS tag   ARGV confirmed {words token signal counter digest revision article_id visit visit_ttl_s field value…}…
--   confirmed: tokens whose settling the worker has heard back
--   words: how many follow of this finish
--   counter: articles | unchanged, the ledger's name for this end
--   revision: the event's own, or with `unchanged` that of the last published event
--   visit: what the next visit needs, as JSON; empty: nothing
-- returns for each {1, change, rest_ms} done, as settle() says | 2 already done by this token | 0 lease lost
--   | 3 another task has published the article meanwhile: nothing was written          O(finishes · log hosts)
local now = now_ms()

local function finish(first, last)
  local token, signal, counter, digest, revision, article, visit, visit_ttl_s = unpack(ARGV, first, first + 7)
  local answer, host = standing(token)
  if answer ~= 1 then
    return answer
  end
  local published, key, field = revision_of(digest)
  if tonumber(revision) < (counter == 'articles' and published + 1 or published) then
    return 3
  end
  state(host)  -- should it be damaged, nothing has been written yet
  redis.call('XADD', P .. 'articles', '*', unpack(ARGV, first + 8, last))
  if counter == 'articles' then
    redis.call('HSET', key, field, revision)
  end
  if visit ~= '' then
    local kept = string.format('%d', wall_ms()) .. ' ' .. revision .. ' ' .. visit
    redis.call('SET', P .. 'visit:' .. article, kept, 'EX', visit_ttl_s)
  end
  count(counter, 1)
  return settle(token, host, now, signal)
end

local replies, words = {}, 2
while words <= #ARGV do
  local last = words + ARGV[words]
  table.insert(replies, finish(words + 1, last))
  words = last + 1
end
forget_settled(ARGV[1])
return replies
