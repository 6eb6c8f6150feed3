-- What the machines did. Planned maintenance is in neither side of a share; a gap is neither work nor rest.
SELECT
  site, kind_of_window, from_us, until_us,
  sum(CASE WHEN metric = 'run_state' THEN mean * step_us END)
    / sum(CASE WHEN metric = 'run_state' AND mean IS NOT NULL THEN step_us END) AS operating_rate,
  sum(CASE WHEN metric = 'output_count' THEN increase END) AS output_total,
  sum(CASE WHEN metric = 'reported_output' THEN total END) AS reported_output_total,
  sum(CASE WHEN metric = 'output_count' THEN increase END)
    / nullif(sum(CASE WHEN metric = 'run_state' THEN mean * step_us END) / 3600000000, 0) AS output_per_hour,
  sum(CASE WHEN metric = 'run_state' THEN (1 - mean) * step_us END) / 3600000000 AS stoppage_hours,
  avg(CASE WHEN metric = 'spindle_load' THEN mean END) AS spindle_load_mean
FROM windowed
WHERE metric IN ('run_state', 'output_count', 'reported_output', 'spindle_load')
GROUP BY site, kind_of_window, from_us, until_us
