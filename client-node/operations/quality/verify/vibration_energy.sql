-- Vibration against energy: machines that vibrate and do not draw are idling.
SELECT
  v.site, v.from_us, v.until_us, v.active_share AS expected, e.amount / (n.amount * e.days) AS seen,
  e.amount / (n.amount * e.days) >= 0.8 * v.active_share AS holds
FROM tally v
JOIN tally e ON e.site = v.site AND e.from_us = v.from_us AND e.until_us = v.until_us AND e.metric = 'active_energy'
JOIN site_norm n ON n.site = v.site AND n.measure = 'active_energy'
WHERE v.metric = 'vibration_rms' AND v.kind_of_window = 'day'
