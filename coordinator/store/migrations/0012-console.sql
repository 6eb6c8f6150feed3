-- People of the bank who work with the console in a browser.
CREATE TABLE console_user (
  name          text PRIMARY KEY,
  role          text NOT NULL CHECK (role IN ('operator', 'officer', 'auditor')),
  password      text NOT NULL,                  -- scrypt N r p salt hash
  totp_secret   text NOT NULL,                  -- base32
  totp_step     bigint NOT NULL DEFAULT 0,      -- of the last code that was taken: each works once
  added_at      timestamptz NOT NULL
);

-- Which model is used, decision by decision; the last one counts. A model that was pruned takes its decisions with it.
CREATE TABLE model_standing (
  number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model         text NOT NULL REFERENCES model ON DELETE CASCADE,
  result        text NOT NULL,                  -- name of the result that scores
  standing      text NOT NULL CHECK (standing IN ('champion', 'challenger', 'retired')),
  reason        text NOT NULL,
  decided_by    text NOT NULL,                  -- a user of the console
  decided_at    timestamptz NOT NULL
);
CREATE INDEX model_standing_model ON model_standing (model, result);
