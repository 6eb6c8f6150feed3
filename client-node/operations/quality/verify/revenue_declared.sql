-- Receipts against what was declared, pro rata of the month.
SELECT
  s.site, s.from_us, s.until_us,
  d.amount * (s.until_us - s.from_us) / (d.until_us - d.from_us) AS expected, s.amount AS seen,
  s.amount >= 0.8 * d.amount * (s.until_us - s.from_us) / (d.until_us - d.from_us) AS holds
FROM tally s
JOIN declaration d
  ON d.site = s.site AND d.measure = 'revenue' AND s.from_us >= d.from_us AND s.until_us <= d.until_us
WHERE s.metric = 'sales_amount' AND s.kind_of_window = 'month'
