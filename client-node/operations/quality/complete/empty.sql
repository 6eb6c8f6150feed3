-- Empty cells between two known ones, the levels at both ends, and how far along the cell lies.
SELECT
  k.channel, k.cell_us, k.kind, m.low, m.high, m.interpolate_us, m.seasonal_us,
  k.known_after - k.known_before - k.step_us AS gap_us,
  (k.cell_us - k.known_before) / CAST(k.known_after - k.known_before AS DOUBLE) AS along,
  b.level AS level_before, a.level AS level_after,
  s.level AS usual, sb.level AS usual_before, sa.level AS usual_after
FROM known k
JOIN metric m ON m.metric = k.metric
JOIN known b ON b.channel = k.channel AND b.cell_us = k.known_before
JOIN known a ON a.channel = k.channel AND a.cell_us = k.known_after
LEFT JOIN season s ON s.channel = k.channel
  AND s.quarter_of_day = CAST(floor(k.cell_us / 900000000) AS BIGINT) % 96
  AND s.weekend = (CAST(floor(k.cell_us / 86400000000) AS BIGINT) % 7 IN (2, 3))
LEFT JOIN season sb ON sb.channel = k.channel
  AND sb.quarter_of_day = CAST(floor(k.known_before / 900000000) AS BIGINT) % 96
  AND sb.weekend = (CAST(floor(k.known_before / 86400000000) AS BIGINT) % 7 IN (2, 3))
LEFT JOIN season sa ON sa.channel = k.channel
  AND sa.quarter_of_day = CAST(floor(k.known_after / 900000000) AS BIGINT) % 96
  AND sa.weekend = (CAST(floor(k.known_after / 86400000000) AS BIGINT) % 7 IN (2, 3))
WHERE k.used = 0 AND NOT k.excluded
