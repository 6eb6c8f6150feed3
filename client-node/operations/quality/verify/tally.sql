-- What each site's cleaned cells add up to in each window: amounts for counters and deltas, levels otherwise.
-- A counter that fell was reset; what it shows then is what it counted since.
SELECT
  site, metric, kind_of_window, from_us, until_us, (until_us - from_us) / 86400000000 AS days,
  sum(CASE WHEN kind = 'delta' THEN total WHEN kind = 'counter' THEN increase END) AS amount,
  avg(mean) AS level,
  avg(CASE WHEN mean > 0.5 THEN 1.0 WHEN mean IS NOT NULL THEN 0.0 END) AS active_share,
  count(mean) AS cells
FROM (
  SELECT
    b.site, h.metric, h.kind, c.mean, c.total, w.kind AS kind_of_window, w.from_us, w.until_us,
    CASE WHEN c.last >= c.last_before THEN c.last - c.last_before ELSE c.last END AS increase
  FROM (
    SELECT channel, cell_us, mean, total, last,
      coalesce(lag(last) OVER (PARTITION BY channel ORDER BY cell_us), low) AS last_before
    FROM cleaned WHERE used > 0
  ) c
  JOIN channel h ON h.channel = c.channel
  JOIN binding b ON b.device = h.device AND c.cell_us >= b.from_us AND c.cell_us < b.until_us
  JOIN time_window w ON w.site = b.site AND c.cell_us >= w.from_us AND c.cell_us < w.until_us
  WHERE coalesce(h.role, '') <> 'office'
) cell
GROUP BY site, metric, kind_of_window, from_us, until_us
