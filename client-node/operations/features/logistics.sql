-- What the vehicles did. Time without a signal is its own share, not standing still.
SELECT
  site, kind_of_window, from_us, until_us,
  avg(CASE WHEN metric = 'speed' AND mean > 5 THEN 1.0
           WHEN metric = 'speed' AND mean IS NOT NULL THEN 0.0 END) AS moving_share,
  sum(CASE WHEN metric = 'odometer' THEN increase END) AS distance_total,
  avg(CASE WHEN metric = 'speed' AND status IN ('gap', 'imputed') THEN 1.0
           WHEN metric = 'speed' AND status = 'observed' THEN 0.0 END) AS vehicle_gap_share
FROM windowed
WHERE metric IN ('speed', 'odometer')
GROUP BY site, kind_of_window, from_us, until_us
