-- What was drawn, office meters apart, and how much that is of the site's norm.
SELECT
  w.site, kind_of_window, from_us, until_us,
  sum(CASE WHEN metric = 'active_energy' AND role <> 'office' THEN increase END) AS energy_total,
  sum(CASE WHEN metric = 'active_energy' AND role = 'office' THEN increase END) AS office_energy,
  sum(CASE WHEN metric = 'water_volume' AND role <> 'office' THEN increase END) AS water_total,
  sum(CASE WHEN metric = 'gas_volume' AND role <> 'office' THEN increase END) AS gas_total,
  sum(CASE WHEN metric = 'active_energy' AND role <> 'office' THEN increase END)
    / max(e.amount * days) AS energy_ratio,
  sum(CASE WHEN metric = 'water_volume' AND role <> 'office' THEN increase END)
    / max(a.amount * days) AS water_ratio,
  sum(CASE WHEN metric = 'gas_volume' AND role <> 'office' THEN increase END)
    / max(g.amount * days) AS gas_ratio,
  sum(CASE WHEN metric = 'active_energy' AND role <> 'office' THEN increase END)
    / nullif(sum(CASE WHEN metric = 'reported_output' THEN total END), 0) AS energy_per_unit
FROM windowed w
LEFT JOIN site_norm e ON e.site = w.site AND e.measure = 'active_energy'
LEFT JOIN site_norm a ON a.site = w.site AND a.measure = 'water_volume'
LEFT JOIN site_norm g ON g.site = w.site AND g.measure = 'gas_volume'
WHERE metric IN ('active_energy', 'water_volume', 'gas_volume', 'reported_output')
GROUP BY w.site, kind_of_window, from_us, until_us
