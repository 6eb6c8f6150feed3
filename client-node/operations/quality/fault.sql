-- Faults found in readings, by device, metric and source.
SELECT
  h.device, h.source, h.metric, sum(c.arrived) AS readings, sum(c.used) AS used,
  sum(c.unit_faults) AS unit, sum(c.absent_faults) AS absent, sum(c.quality_faults) AS quality,
  sum(c.clock_faults) AS clock, sum(c.range_faults) AS range, sum(c.drift_faults) AS drift,
  sum(c.duplicate_faults) AS duplicate, sum(c.spike_faults) AS spike, sum(c.rate_faults) AS rate,
  sum(c.excluded) AS excluded
FROM cell c
JOIN channel h ON h.channel = c.channel
GROUP BY h.device, h.source, h.metric
