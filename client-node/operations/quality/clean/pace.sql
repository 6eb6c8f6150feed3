-- How often a channel in fact speaks, where that is less often than the catalogue's step: the median pause
-- between its cells. An hourly meter has no three gaps an hour.
SELECT channel, step_us, CAST(round(coalesce(median(pause), 1)) AS BIGINT) * step_us AS pace_us
FROM (
  SELECT channel, step_us,
    (cell_us - lag(cell_us) OVER (PARTITION BY channel ORDER BY cell_us)) / step_us AS pause
  FROM step_cell
) pauses
GROUP BY channel, step_us
