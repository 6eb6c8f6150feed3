-- What enterprises told of their warnings: type, severity, coarse time and place.
CREATE TABLE warning (
  enterprise    text NOT NULL,
  type          text NOT NULL,
  severity      text NOT NULL,
  period_from   text NOT NULL,                  -- first day of the period, YYYY-MM-DD
  place         text NOT NULL,                  -- '' where none was told
  received_at   timestamptz NOT NULL,
  PRIMARY KEY (enterprise, period_from, type, severity, place)
);
