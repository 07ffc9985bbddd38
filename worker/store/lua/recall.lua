-- recall: what is known of an article before it is visited again.
-- KEYS tag   ARGV digest article_id
-- returns {revision of the last published event or 0, "at_ms revision json" of the last visit or ''}      O(1)
return {revision_of(ARGV[1]), redis.call('GET', P .. 'visit:' .. ARGV[2]) or ''}
