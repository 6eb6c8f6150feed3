-- Second readings of one instant, spikes (Hampel, five points) and impossible jumps to and fro.
-- The median of five: of the fifth and, of two sorted pairs, the larger minimum and the smaller maximum.
SELECT
  channel, step_us, time_us, value,
  CASE
    WHEN NOT usable THEN fault
    WHEN time_us = time_before THEN 7
    WHEN spike IS NOT NULL AND abs(value - middle) > greatest(spike, 4.4478 * deviation) THEN 8
    WHEN rate IS NOT NULL AND time_before IS NOT NULL AND time_after IS NOT NULL
      AND abs(value - before) > rate * (time_us - time_before) / 1000000
      AND abs(value - after) > rate * (time_after - time_us) / 1000000
      AND (value - before) * (value - after) > 0 THEN 9
    ELSE fault
  END AS fault,
  usable
FROM (
  SELECT *,
    greatest(
      least(e, greatest(greatest(least(a, b), least(c, d)), least(greatest(a, b), greatest(c, d)))),
      least(greatest(least(a, b), least(c, d)), least(greatest(a, b), greatest(c, d)))
    ) AS deviation
  FROM (
    SELECT *,
      abs(second_before - middle) AS a, abs(before - middle) AS b, abs(after - middle) AS c,
      abs(second_after - middle) AS d, abs(value - middle) AS e
    FROM (
      SELECT *,
        CASE WHEN spike IS NOT NULL AND second_before IS NOT NULL AND second_after IS NOT NULL THEN
          greatest(
            least(value, greatest(
              greatest(least(second_before, before), least(after, second_after)),
              least(greatest(second_before, before), greatest(after, second_after)))),
            least(
              greatest(least(second_before, before), least(after, second_after)),
              least(greatest(second_before, before), greatest(after, second_after)))
          )
        END AS middle
      FROM neighbours
    ) with_middle
  ) with_deviations
) with_deviation
