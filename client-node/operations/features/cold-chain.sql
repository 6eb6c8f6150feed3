-- Temperature, cooling and movement of one vehicle, cell by cell: a stop alone says little, a stop with the
-- cooling off says much. Only what was observed counts: a gap claims nothing.
SELECT
  t.site, t.kind_of_window, t.from_us, t.until_us,
  avg(CASE WHEN t.status = 'observed' THEN t.mean END) AS cargo_temperature_mean,
  max(CASE WHEN t.status = 'observed' THEN t.high END) AS cargo_temperature_max,
  sum(CASE WHEN n.amount IS NOT NULL AND t.status = 'observed' THEN
    CASE WHEN t.mean > n.amount THEN t.step_us ELSE 0 END END) / 60000000 AS cargo_breach_minutes,
  avg(CASE WHEN t.status = 'observed' THEN 1.0 WHEN t.status IN ('gap', 'imputed') THEN 0.0 END)
    AS cargo_observed_share,
  sum(CASE WHEN r.mean < 0.5 AND s.mean < 5 THEN t.step_us WHEN r.mean IS NOT NULL AND s.mean IS NOT NULL THEN 0 END)
    / 60000000 AS stopped_reefer_off_minutes
FROM windowed t
LEFT JOIN windowed r
  ON r.metric = 'reefer_on' AND r.device = t.device AND r.cell_us = t.cell_us AND r.site = t.site
  AND r.kind_of_window = t.kind_of_window AND r.status = 'observed'
LEFT JOIN windowed s
  ON s.metric = 'speed' AND s.device = t.device AND s.cell_us = t.cell_us AND s.site = t.site
  AND s.kind_of_window = t.kind_of_window AND s.status = 'observed'
LEFT JOIN site_norm n ON n.site = t.site AND n.measure = 'cargo_temperature_limit'
WHERE t.metric = 'cargo_temperature'
GROUP BY t.site, t.kind_of_window, t.from_us, t.until_us
