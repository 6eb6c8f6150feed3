-- Short gaps by a straight line, longer ones by the season moved onto both ends, none beyond the limit.
-- A state is carried only where it is the same on both sides; a counter only where it did not fall.
SELECT channel, cell_us, method, level
FROM (
  SELECT channel, cell_us, low, high,
    CASE
      WHEN gap_us <= interpolate_us THEN 'interpolated'
      WHEN gap_us <= seasonal_us THEN 'seasonal'
    END AS method,
    CASE
      WHEN kind = 'state' AND level_before <> level_after THEN NULL
      WHEN kind = 'counter' AND level_after < level_before THEN NULL
      WHEN gap_us <= interpolate_us THEN level_before + along * (level_after - level_before)
      WHEN gap_us <= seasonal_us AND kind IN ('gauge', 'delta') THEN
        usual + (1 - along) * (level_before - usual_before) + along * (level_after - usual_after)
    END AS level
  FROM empty
) candidate
WHERE level >= low AND level <= high
