-- Receipts against money and goods: a sale that was made was paid for, and something left the stock.
-- seen is the weaker of the two covers; `stock_share` is the site's usual cost of goods in its price.
SELECT
  s.site, s.from_us, s.until_us, 1.0 AS expected,
  least(coalesce(p.amount / s.amount, 1.0), coalesce(g.amount / n.amount / s.amount, 1.0)) AS seen,
  coalesce(p.amount / s.amount, 1.0) >= 0.85 AND coalesce(g.amount / n.amount / s.amount, 1.0) >= 0.85 AS holds
FROM tally s
LEFT JOIN tally p
  ON p.site = s.site AND p.from_us = s.from_us AND p.until_us = s.until_us AND p.metric = 'payment_amount'
LEFT JOIN tally g
  ON g.site = s.site AND g.from_us = s.from_us AND g.until_us = s.until_us AND g.metric = 'stock_used'
LEFT JOIN site_norm n ON n.site = s.site AND n.measure = 'stock_share'
WHERE s.metric = 'sales_amount' AND s.kind_of_window = 'week' AND s.amount > 0
