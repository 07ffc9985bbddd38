-- reprocess: publish an article that was read anew from an archive, and keep its visit. There is no task and no lease.
-- KEYS tag   ARGV digest revision article_id visit visit_ttl_s max_backlog field value…
--   visit: what the next visit needs, as JSON; it names the archive's record, so no two calls but a repeated one agree
-- returns 1 done | 2 already done by this call | 0 another event of the article came first: nothing was written
--   | 3 as many articles wait for consumers as may          O(1)
local digest, revision, article, visit, visit_ttl_s, max_backlog = unpack(ARGV)
local kept = redis.call('GET', P .. 'visit:' .. article) or ''
if string.match(kept, '^%d+ (.*)$') == revision .. ' ' .. visit then
  return 2
end
local last, key, field = revision_of(digest)
if tonumber(revision) ~= last + 1 then
  return 0
end
if tonumber(max_backlog) > 0 and redis.call('XLEN', P .. 'articles') >= tonumber(max_backlog) then
  return 3
end
redis.call('XADD', P .. 'articles', '*', unpack(ARGV, 7))
redis.call('HSET', key, field, revision)
local at_ms = string.format('%d', wall_ms())
redis.call('SET', P .. 'visit:' .. article, table.concat({at_ms, revision, visit}, ' '), 'EX', visit_ttl_s)
count('reprocessed', 1)
return 1
