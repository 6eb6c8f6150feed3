-- What the catalogue says about each series, and how its unit becomes the catalogue's.
-- A device's metric is one channel, whatever units it was reported in.
SELECT
  s.series, s.device, s.metric, m.kind,
  min(s.series) OVER (PARTITION BY s.device, s.metric) AS channel,
  s.unit = m.unit AS unit_as_stated, c.factor, c.shift,
  m.low, m.high, m.rate, m.spike, m.step_us
FROM series s
JOIN metric m ON m.metric = s.metric
LEFT JOIN unit_conversion c ON c.metric = s.metric AND c.unit = s.unit
