-- Orders kept and broken, and how fast the stock moves.
SELECT
  site, kind_of_window, from_us, until_us,
  sum(CASE WHEN metric = 'orders_late' THEN total END)
    / nullif(sum(CASE WHEN metric = 'orders_due' THEN total END), 0) AS order_delay_rate,
  sum(CASE WHEN metric = 'orders_due' THEN total END) AS orders_total,
  CASE WHEN kind_of_window <> 'day' THEN
    sum(CASE WHEN metric = 'goods_sold_cost' THEN total END) * 365.25 / max(days)
      / nullif(avg(CASE WHEN metric = 'inventory_value' THEN mean END), 0) END AS inventory_turnover,
  sum(CASE WHEN metric = 'shipments' THEN total END) AS shipments_total
FROM windowed
WHERE metric IN ('orders_late', 'orders_due', 'goods_sold_cost', 'inventory_value', 'shipments')
GROUP BY site, kind_of_window, from_us, until_us
