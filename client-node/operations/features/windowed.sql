-- Every cell in every window of the site its device was bound to then. Families read nothing else.
SELECT
  b.site, w.kind AS kind_of_window, w.from_us, w.until_us, (w.until_us - w.from_us) / 86400000000 AS days,
  f.device, coalesce(h.role, '') AS role, f.metric, f.cell_us, f.step_us, f.status,
  f.mean, f.low, f.high, f.total, f.last, f.increase
FROM filled f
JOIN channel h ON h.channel = f.channel
JOIN binding b ON b.device = f.device AND f.cell_us >= b.from_us AND f.cell_us < b.until_us
JOIN time_window w ON w.site = b.site AND f.cell_us >= w.from_us AND f.cell_us < w.until_us
