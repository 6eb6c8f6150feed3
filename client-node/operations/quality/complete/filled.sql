-- The completed grid, and the cells of events. Every cell says whether it was observed, imputed, excluded or
-- stayed a gap; a gap has no values, and never zeros.
SELECT
  channel, device, metric, kind, step_us, cell_us, status, method, used, mean, low, high, total, last,
  CASE
    WHEN kind <> 'counter' OR last IS NULL THEN NULL
    WHEN last_before IS NULL THEN last - low
    WHEN last < last_before THEN last
    ELSE last - last_before
  END AS increase
FROM (
  SELECT *,
    lag(last) OVER (PARTITION BY channel, last IS NULL ORDER BY cell_us) AS last_before
  FROM (
    SELECT
      k.channel, k.device, k.metric, k.kind, k.step_us, k.cell_us, i.method, k.used,
      CASE
        WHEN k.excluded THEN 'excluded'
        WHEN k.used > 0 THEN 'observed'
        WHEN i.level IS NOT NULL THEN 'imputed'
        ELSE 'gap'
      END AS status,
      coalesce(k.mean, CASE WHEN k.kind <> 'delta' THEN i.level END) AS mean,
      coalesce(k.low, CASE WHEN k.kind <> 'delta' THEN i.level END) AS low,
      coalesce(k.high, CASE WHEN k.kind <> 'delta' THEN i.level END) AS high,
      coalesce(k.total, CASE WHEN k.kind = 'delta' THEN i.level END) AS total,
      coalesce(k.last, CASE WHEN k.kind <> 'delta' THEN i.level END) AS last
    FROM known k
    LEFT JOIN imputed i ON i.channel = k.channel AND i.cell_us = k.cell_us
    UNION ALL
    SELECT
      h.channel, h.device, h.metric, h.kind, h.step_us, c.cell_us, NULL, c.used, 'observed',
      c.mean, c.low, c.high, c.total, c.last
    FROM cleaned c
    JOIN channel h ON h.channel = c.channel
    JOIN metric m ON m.metric = h.metric
    WHERE m.event AND c.used > 0
  ) every_cell
) with_before
