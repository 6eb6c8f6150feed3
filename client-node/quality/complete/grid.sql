-- Every cell a channel should have in the period; metrics that come as events have none to miss.
SELECT
  h.channel, h.device, h.metric, h.kind, h.step_us,
  CAST(floor(p.from_us / h.step_us) AS BIGINT) * h.step_us + t.n * h.step_us AS cell_us
FROM channel h
JOIN metric m ON m.metric = h.metric
CROSS JOIN period p
JOIN tick t ON t.n < (p.until_us - floor(p.from_us / h.step_us) * h.step_us) / h.step_us
WHERE NOT m.event
