-- Cells without what was stuck; a counter's increase is told apart from its reset.
SELECT
  c.channel, c.cell_us, c.step_us, c.arrived, c.excluded,
  CASE WHEN s.channel IS NULL THEN c.passed ELSE 0 END AS passed,
  CASE WHEN s.channel IS NULL THEN c.used ELSE 0 END AS used,
  CASE WHEN s.channel IS NULL THEN c.mean END AS mean,
  CASE WHEN s.channel IS NULL THEN c.low END AS low,
  CASE WHEN s.channel IS NULL THEN c.high END AS high,
  CASE WHEN s.channel IS NULL THEN c.total END AS total,
  CASE WHEN s.channel IS NULL THEN c.last END AS last,
  s.channel IS NOT NULL AS stuck
FROM cell c
LEFT JOIN stuck s ON s.channel = c.channel AND s.cell_us = c.cell_us
