-- A channel's usual level by quarter hour of the day, on working days and at weekends, where seen at least twice.
SELECT
  channel,
  CAST(floor(cell_us / 900000000) AS BIGINT) % 96 AS quarter_of_day,
  CAST(floor(cell_us / 86400000000) AS BIGINT) % 7 IN (2, 3) AS weekend,
  avg(level) AS level
FROM known
WHERE used > 0 AND kind IN ('gauge', 'delta')
GROUP BY
  channel, CAST(floor(cell_us / 900000000) AS BIGINT) % 96,
  CAST(floor(cell_us / 86400000000) AS BIGINT) % 7 IN (2, 3)
HAVING count(*) >= 2
