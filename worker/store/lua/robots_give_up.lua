-- robots_give_up: let others ask for an origin's robots.txt; nothing was learnt.
-- KEYS tag   ARGV origin host owner
-- returns 1                                                                                               O(1)
end_asking(P .. 'robots:' .. ARGV[1], ARGV[3])
return 1
