-- Cells of runs in which a sensor showed one value, exactly, for longer than the catalogue believes.
SELECT channel, cell_us
FROM (
  SELECT channel, cell_us, step_us, stuck_us,
    min(cell_us) OVER run AS from_us, max(cell_us) OVER run AS until_us
  FROM (
    SELECT channel, cell_us, step_us, stuck_us,
      sum(CASE WHEN continues THEN 0 ELSE 1 END) OVER (PARTITION BY channel ORDER BY cell_us) AS run
    FROM (
      SELECT c.channel, c.cell_us, c.step_us, m.stuck_us,
        c.low = c.high AND c.low = lag(c.low) OVER o AND c.high = lag(c.high) OVER o AS continues
      FROM cell c
      JOIN channel h ON h.channel = c.channel
      JOIN metric m ON m.metric = h.metric
      WHERE m.stuck_us IS NOT NULL AND c.used > 0
      WINDOW o AS (PARTITION BY c.channel ORDER BY c.cell_us)
    ) flat
  ) numbered
  WINDOW run AS (PARTITION BY channel, run)
) runs
WHERE until_us - from_us + step_us > stuck_us
