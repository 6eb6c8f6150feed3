-- Each usable reading beside the two before and the two after it; the others stand apart.
-- Of two levels of one instant the one that arrived first is the first.
SELECT
  n.channel, c.kind, time_us, value, fault, usable, c.rate, c.spike,
  time_before, time_after, second_before, before, after, second_after
FROM (
  SELECT
    channel, time_us, value, fault, usable,
    lag(time_us) OVER o AS time_before,
    lead(time_us) OVER o AS time_after,
    lag(value, 2) OVER o AS second_before,
    lag(value) OVER o AS before,
    lead(value) OVER o AS after,
    lead(value, 2) OVER o AS second_after
  FROM converted
  WINDOW o AS (PARTITION BY channel, usable ORDER BY time_us, delay_us)
) n
JOIN channel c ON c.channel = n.channel
