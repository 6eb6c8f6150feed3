-- Devices whose clock is off by a constant: live readings of a day that all arrive equally early or late.
SELECT
  s.device, floor((r.time_us + r.delay_us) / 86400000000) AS received_day,
  CAST(median(r.delay_us) AS BIGINT) AS offset_us
FROM readings r
JOIN series_rule s ON s.series = r.series
WHERE NOT r.historical AND abs(r.delay_us) > 60000000
GROUP BY s.device, floor((r.time_us + r.delay_us) / 86400000000)
HAVING count(*) >= 5
  AND percentile_cont(0.9) WITHIN GROUP (ORDER BY r.delay_us)
    - percentile_cont(0.1) WITHIN GROUP (ORDER BY r.delay_us) < 60000000
