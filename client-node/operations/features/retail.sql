-- The funnel from passing by to paying. Traffic alone says nothing about revenue: without receipts, none.
SELECT
  f.site, f.kind_of_window, f.from_us, f.until_us, footfall AS footfall_total,
  entries / nullif(footfall, 0) AS entry_rate,
  transactions / nullif(coalesce(entries, footfall), 0) AS transaction_rate,
  transactions / nullif(footfall, 0) AS conversion_rate,
  sales / nullif(transactions, 0) AS basket,
  sales AS sales_total,
  footfall * (transactions / nullif(footfall, 0)) * (sales / nullif(transactions, 0)) AS flow_revenue,
  payments / nullif(sales, 0) AS payment_cover,
  stock_used / n.amount / nullif(sales, 0) AS stock_cover,
  CASE WHEN f.kind_of_window <> 'day' THEN c.closed END AS closed_shops,
  d.amount * (f.until_us - f.from_us) / (d.until_us - d.from_us) AS declared_revenue,
  CASE WHEN f.kind_of_window = 'month' THEN
    1 - sales / (d.amount * (f.until_us - f.from_us) / (d.until_us - d.from_us)) END AS revenue_gap
FROM (
  SELECT
    site, kind_of_window, from_us, until_us,
    sum(CASE WHEN metric = 'footfall' THEN total END) AS footfall,
    sum(CASE WHEN metric = 'entries' THEN total END) AS entries,
    sum(CASE WHEN metric = 'transactions' THEN total END) AS transactions,
    sum(CASE WHEN metric = 'sales_amount' THEN total END) AS sales,
    sum(CASE WHEN metric = 'payment_amount' THEN total END) AS payments,
    sum(CASE WHEN metric = 'stock_used' THEN total END) AS stock_used
  FROM windowed
  WHERE metric IN ('footfall', 'entries', 'transactions', 'sales_amount', 'payment_amount', 'stock_used')
  GROUP BY site, kind_of_window, from_us, until_us
) f
LEFT JOIN site_norm n ON n.site = f.site AND n.measure = 'stock_share'
LEFT JOIN declaration d
  ON d.site = f.site AND d.measure = 'revenue' AND f.from_us >= d.from_us AND f.until_us <= d.until_us
LEFT JOIN (
  SELECT w.site, w.kind, w.from_us, count(*) - count(s.device) AS closed
  FROM time_window w
  JOIN binding b ON b.site = w.site AND b.from_us < w.until_us AND b.until_us > w.from_us
  JOIN device v ON v.device = b.device AND v.role = 'shop'
  LEFT JOIN (
    SELECT site, kind_of_window, from_us, device FROM windowed
    WHERE metric = 'sales_amount' GROUP BY site, kind_of_window, from_us, device HAVING sum(total) > 0
  ) s ON s.site = w.site AND s.kind_of_window = w.kind AND s.from_us = w.from_us AND s.device = b.device
  GROUP BY w.site, w.kind, w.from_us
) c ON c.site = f.site AND c.kind = f.kind_of_window AND c.from_us = f.from_us
