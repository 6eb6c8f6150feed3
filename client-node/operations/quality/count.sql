-- How many of the cells that should be there pass, after each step, by device, metric and source.
-- `delivered` counts a cell by the share of its readings that needed nothing.
SELECT
  f.device, h.source, f.metric,
  count(CASE WHEN f.status <> 'excluded' THEN 1 END) AS expected,
  count(CASE WHEN f.status = 'excluded' THEN 1 END) AS excluded,
  sum(CASE WHEN f.status = 'observed' OR f.status = 'gap' OR f.status = 'imputed'
    THEN coalesce(c.passed / CAST(c.arrived AS DOUBLE), 0) ELSE 0 END) AS delivered,
  count(CASE WHEN f.status = 'observed' THEN 1 END) AS cleaned,
  count(CASE WHEN f.status = 'observed' AND d.channel IS NULL THEN 1 END) AS verified,
  count(CASE WHEN f.status IN ('observed', 'imputed') AND d.channel IS NULL THEN 1 END) AS completed,
  count(CASE WHEN f.status = 'imputed' THEN 1 END) AS imputed,
  count(CASE WHEN f.status = 'gap' THEN 1 END) AS gaps,
  count(CASE WHEN c.stuck THEN 1 END) AS stuck
FROM filled f
JOIN channel h ON h.channel = f.channel
JOIN metric m ON m.metric = f.metric
LEFT JOIN cleaned c ON c.channel = f.channel AND c.cell_us = f.cell_us
LEFT JOIN disputed d ON d.channel = f.channel AND d.cell_us = f.cell_us
WHERE NOT m.event
GROUP BY f.device, h.source, f.metric
