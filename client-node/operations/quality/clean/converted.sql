-- Each reading in the catalogue's unit, with drift taken out and a constant clock error put right.
-- fault: 0 none, 1 unit, 2 absent, 3 quality, 4 clock, 5 range, 6 drift, 10 excluded;
-- 7 duplicate, 8 spike and 9 rate are found later, beside a reading's neighbours.
-- An amount that comes late was kept by a broker or a till while a line was down: its own time is believed.
-- usable: there is no fault, or it is put right here.
SELECT
  channel, time_us, delay_us, value,
  CASE
    WHEN excluded THEN 10
    WHEN value IS NULL AND factor IS NULL THEN 1
    WHEN value IS NULL THEN 2
    WHEN quality = 'bad' THEN 3
    WHEN value < low OR value > high THEN 5
    WHEN clock_off AND offset_us IS NULL THEN 4
    WHEN NOT unit_as_stated THEN 1
    WHEN clock_off THEN 4
    WHEN abs(drift) > 0.01 THEN 6
    ELSE 0
  END AS fault,
  NOT excluded AND value IS NOT NULL AND quality <> 'bad' AND value >= low AND value <= high
    AND (NOT clock_off OR offset_us IS NOT NULL) AS usable
FROM (
  SELECT
    s.channel, s.low, s.high, s.factor, s.unit_as_stated, r.quality,
    o.offset_us, r.delay_us,
    NOT r.historical AND (r.delay_us < -60000000 OR (r.delay_us > 60000000 AND s.kind <> 'delta')) AS clock_off,
    CASE
      WHEN NOT r.historical AND (r.delay_us < -60000000 OR (r.delay_us > 60000000 AND s.kind <> 'delta'))
      THEN r.time_us + coalesce(o.offset_us, 0)
      ELSE r.time_us
    END AS time_us,
    (coalesce(r.value, CASE WHEN r.text IS NOT NULL THEN 1 END) * s.factor + s.shift)
      / (1 + coalesce(c.error_per_us * (r.time_us - c.from_us), 0)) AS value,
    coalesce(c.error_per_us * (r.time_us - c.from_us), 0) AS drift,
    x.device IS NOT NULL OR e.status IS NOT NULL AS excluded
  FROM readings r
  JOIN series_rule s ON s.series = r.series
  LEFT JOIN clock_offset o
    ON o.device = s.device AND o.received_day = floor((r.time_us + r.delay_us) / 86400000000)
  LEFT JOIN calibration c
    ON c.device = s.device AND c.metric = s.metric AND r.time_us >= c.from_us AND r.time_us < c.until_us
  LEFT JOIN excluded x ON x.device = s.device AND r.time_us >= x.from_us AND r.time_us < x.until_us
  LEFT JOIN excluded_status e ON e.status = r.status
) reading
