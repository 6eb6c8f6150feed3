-- Cells at the channel's own pace: those of slower channels are put together.
SELECT
  s.channel, p.pace_us AS step_us, CAST(floor(s.cell_us / p.pace_us) AS BIGINT) * p.pace_us AS cell_us,
  sum(arrived) AS arrived, sum(passed) AS passed, sum(used) AS used,
  sum(mean * used) / nullif(sum(used), 0) AS mean, min(low) AS low, max(high) AS high, sum(total) AS total,
  max_by(last, CASE WHEN used > 0 THEN s.cell_us END) AS last,
  sum(unit_faults) AS unit_faults, sum(absent_faults) AS absent_faults,
  sum(quality_faults) AS quality_faults, sum(clock_faults) AS clock_faults,
  sum(range_faults) AS range_faults, sum(drift_faults) AS drift_faults,
  sum(duplicate_faults) AS duplicate_faults, sum(spike_faults) AS spike_faults,
  sum(rate_faults) AS rate_faults, sum(excluded) AS excluded
FROM step_cell s
JOIN pace p ON p.channel = s.channel
GROUP BY s.channel, p.pace_us, CAST(floor(s.cell_us / p.pace_us) AS BIGINT) * p.pace_us
