-- Waybills against machines: over a week, what leaves the gate was made, up to a third from or into stock.
SELECT
  p.site, p.from_us, p.until_us, p.amount AS expected, s.amount AS seen,
  s.amount >= 0.67 * p.amount AND s.amount <= 1.33 * p.amount AS holds
FROM tally p
JOIN tally s ON s.site = p.site AND s.from_us = p.from_us AND s.until_us = p.until_us AND s.metric = 'shipments'
WHERE p.metric = 'output_count' AND p.kind_of_window = 'week' AND p.amount > 0
