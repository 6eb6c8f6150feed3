-- Every cell a channel should have in the period; metrics that come as events have none to miss.
SELECT
  h.channel, h.device, h.metric, h.kind, c.pace_us AS step_us,
  CAST(floor(p.from_us / c.pace_us) AS BIGINT) * c.pace_us + t.n * c.pace_us AS cell_us
FROM channel h
JOIN pace c ON c.channel = h.channel
JOIN metric m ON m.metric = h.metric
CROSS JOIN period p
JOIN tick t ON t.n < (p.until_us - floor(p.from_us / c.pace_us) * c.pace_us) / c.pace_us
WHERE NOT m.event
