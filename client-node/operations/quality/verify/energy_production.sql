-- Energy against production: what is reported as made must be borne by the electricity drawn, in shares of
-- the site's norms. Made much for little energy: outsourced or not made; little for much: not reported.
SELECT
  p.site, p.from_us, p.until_us,
  p.amount / (pn.amount * p.days) AS expected, e.amount / (en.amount * e.days) AS seen,
  e.amount / (en.amount * e.days) >= 0.8 * p.amount / (pn.amount * p.days)
    AND e.amount / (en.amount * e.days) <= 1.4 * p.amount / (pn.amount * p.days) AS holds
FROM tally p
JOIN tally e ON e.site = p.site AND e.from_us = p.from_us AND e.until_us = p.until_us AND e.metric = 'active_energy'
JOIN site_norm pn ON pn.site = p.site AND pn.measure = 'reported_output'
JOIN site_norm en ON en.site = p.site AND en.measure = 'active_energy'
WHERE p.metric = 'reported_output' AND p.kind_of_window = 'week'
