-- Cells of metrics that a cross-source rule found at odds: kept, shown, and not counted as passing.
SELECT DISTINCT c.channel, c.cell_us
FROM verification v
JOIN rule_metric r ON r.rule = v.rule
JOIN binding b ON b.site = v.site
JOIN channel h ON h.device = b.device AND h.metric = r.metric
JOIN cleaned c
  ON c.channel = h.channel AND c.cell_us >= v.from_us AND c.cell_us < v.until_us
  AND c.cell_us >= b.from_us AND c.cell_us < b.until_us
WHERE NOT v.holds
