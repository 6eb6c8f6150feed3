-- One row a channel and step of its grid: what arrived, what passed as delivered, what can be used.
SELECT
  channel, cell_us, step_us,
  count(*) AS arrived,
  count(CASE WHEN fault = 0 THEN 1 END) AS passed,
  count(CASE WHEN used THEN 1 END) AS used,
  avg(CASE WHEN used THEN value END) AS mean,
  min(CASE WHEN used THEN value END) AS low,
  max(CASE WHEN used THEN value END) AS high,
  sum(CASE WHEN used THEN value END) AS total,
  max_by(value, CASE WHEN used THEN time_us END) AS last,
  count(CASE WHEN fault = 1 THEN 1 END) AS unit_faults,
  count(CASE WHEN fault = 2 THEN 1 END) AS absent_faults,
  count(CASE WHEN fault = 3 THEN 1 END) AS quality_faults,
  count(CASE WHEN fault = 4 THEN 1 END) AS clock_faults,
  count(CASE WHEN fault = 5 THEN 1 END) AS range_faults,
  count(CASE WHEN fault = 6 THEN 1 END) AS drift_faults,
  count(CASE WHEN fault = 7 THEN 1 END) AS duplicate_faults,
  count(CASE WHEN fault = 8 THEN 1 END) AS spike_faults,
  count(CASE WHEN fault = 9 THEN 1 END) AS rate_faults,
  count(CASE WHEN fault = 10 THEN 1 END) AS excluded
FROM (
  SELECT
    c.channel, step_us, time_us, value, fault,
    usable AND fault NOT IN (7, 8, 9) AS used,
    CAST(floor(time_us / step_us) AS BIGINT) * step_us AS cell_us
  FROM checked r
  JOIN channel c ON c.channel = r.channel
) reading
GROUP BY channel, cell_us, step_us
