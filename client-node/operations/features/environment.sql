-- The air around, and how much of everything the site shows was observed, filled or never seen.
SELECT
  site, kind_of_window, from_us, until_us,
  avg(CASE WHEN metric = 'ambient_temperature' THEN mean END) AS ambient_temperature_mean,
  avg(CASE WHEN metric = 'humidity' THEN mean END) AS humidity_mean,
  avg(CASE WHEN metric = 'particulates' THEN mean END) AS particulates_mean,
  avg(CASE WHEN status = 'imputed' THEN 1.0 WHEN status <> 'excluded' THEN 0.0 END) AS imputed_share,
  avg(CASE WHEN status = 'gap' THEN 1.0 WHEN status <> 'excluded' THEN 0.0 END) AS gap_share
FROM windowed
GROUP BY site, kind_of_window, from_us, until_us
