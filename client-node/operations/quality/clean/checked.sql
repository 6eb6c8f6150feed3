-- Second levels of one instant, spikes (Hampel, five points) and impossible jumps to and fro.
-- Amounts are events: two of one instant are two, and what was delivered twice was left out of the segments.
-- The median of five: of the fifth and, of two sorted pairs, the larger minimum and the smaller maximum.
-- Where all five lie within what is noise, no median is needed.
SELECT
  channel, time_us, value, usable,
  CASE
    WHEN NOT usable THEN fault
    WHEN time_us = time_before AND kind <> 'delta' THEN 7
    WHEN abs(value - middle) > spike
      AND abs(value - middle) > 4.4478 * greatest(
        least(abs(value - middle), greatest(
          greatest(
            least(abs(second_before - middle), abs(before - middle)),
            least(abs(after - middle), abs(second_after - middle))),
          least(
            greatest(abs(second_before - middle), abs(before - middle)),
            greatest(abs(after - middle), abs(second_after - middle))))),
        least(
          greatest(
            least(abs(second_before - middle), abs(before - middle)),
            least(abs(after - middle), abs(second_after - middle))),
          least(
            greatest(abs(second_before - middle), abs(before - middle)),
            greatest(abs(after - middle), abs(second_after - middle))))) THEN 8
    WHEN abs(value - before) > rate * (time_us - time_before) / 1000000
      AND abs(value - after) > rate * (time_after - time_us) / 1000000
      AND (value > before) = (value > after) THEN 9
    ELSE fault
  END AS fault
FROM (
  SELECT channel, kind, time_us, value, fault, usable, rate, spike,
    time_before, time_after, second_before, before, after, second_after,
    CASE
      WHEN greatest(second_before, before, value, after, second_after)
        - least(second_before, before, value, after, second_after) > spike
        AND second_before IS NOT NULL AND second_after IS NOT NULL
      THEN greatest(
        least(value, greatest(
          greatest(least(second_before, before), least(after, second_after)),
          least(greatest(second_before, before), greatest(after, second_after)))),
        least(
          greatest(least(second_before, before), least(after, second_after)),
          least(greatest(second_before, before), greatest(after, second_after))))
    END AS middle
  FROM neighbours
) reading
