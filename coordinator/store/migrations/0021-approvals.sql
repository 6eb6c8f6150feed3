-- Who approved that a model is used, and how many different people the bank's rule asks for: the last row holds.
CREATE TABLE model_approval (
  model         text NOT NULL REFERENCES model ON DELETE CASCADE,
  result        text NOT NULL,                  -- name of the result that scores
  approved_by   text NOT NULL,                  -- a user of the console, or an operator
  reason        text NOT NULL,
  approved_at   timestamptz NOT NULL,
  PRIMARY KEY (model, result, approved_by)
);

CREATE TABLE model_rule (
  number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  approvals     integer NOT NULL
);
