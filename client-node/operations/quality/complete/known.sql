-- The grid with what is known, and for each empty cell the nearest known ones on both sides.
-- `level` is what the metric's kind is filled by: an amount, a total, a state or a mean.
SELECT
  g.channel, g.device, g.metric, g.kind, g.step_us, g.cell_us,
  c.mean, c.low, c.high, c.total, c.last, coalesce(c.used, 0) AS used,
  CASE g.kind WHEN 'counter' THEN c.last WHEN 'delta' THEN c.total ELSE c.mean END AS level,
  x.device IS NOT NULL OR (coalesce(c.used, 0) = 0 AND coalesce(c.excluded, 0) > 0) AS excluded,
  max(CASE WHEN c.used > 0 THEN g.cell_us END) OVER (
    PARTITION BY g.channel ORDER BY g.cell_us ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS known_before,
  min(CASE WHEN c.used > 0 THEN g.cell_us END) OVER (
    PARTITION BY g.channel ORDER BY g.cell_us ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS known_after
FROM grid g
LEFT JOIN cleaned c ON c.channel = g.channel AND c.cell_us = g.cell_us
LEFT JOIN excluded x
  ON x.device = g.device AND g.cell_us + g.step_us > x.from_us AND g.cell_us < x.until_us
