-- What turns, and whether the energy drawn bears it out. Neither alone is capacity: vibration overstates it
-- (idling machines vibrate), energy understates it (light work draws little), so their geometric mean.
SELECT
  site, kind_of_window, from_us, until_us, vibrating_share, vibration_rms_mean, vibration_peak_max,
  sqrt(vibrating_share * energy_ratio) AS real_capacity,
  greatest(0, 1 - energy_ratio / nullif(vibrating_share, 0)) AS idle_ratio
FROM (
  SELECT
    w.site, kind_of_window, from_us, until_us,
    avg(CASE WHEN metric = 'vibration_rms' AND mean > 0.5 THEN 1.0
             WHEN metric = 'vibration_rms' AND mean IS NOT NULL THEN 0.0 END) AS vibrating_share,
    avg(CASE WHEN metric = 'vibration_rms' AND mean > 0.5 THEN mean END) AS vibration_rms_mean,
    max(CASE WHEN metric = 'vibration_peak' THEN high END) AS vibration_peak_max,
    sum(CASE WHEN metric = 'active_energy' AND role <> 'office' THEN increase END)
      / max(n.amount * days) AS energy_ratio
  FROM windowed w
  LEFT JOIN site_norm n ON n.site = w.site AND n.measure = 'active_energy'
  WHERE metric IN ('vibration_rms', 'vibration_peak', 'active_energy')
  GROUP BY w.site, kind_of_window, from_us, until_us
) seen
