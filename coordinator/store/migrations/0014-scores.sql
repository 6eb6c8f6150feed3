-- What enterprises say of themselves by a published model, and the bank's cases about their limits.
CREATE TABLE score_consent (
  study         text NOT NULL REFERENCES study,
  enterprise    text NOT NULL,
  note          text NOT NULL,
  expires_at    timestamptz NOT NULL,
  withdrawn_at  timestamptz,
  PRIMARY KEY (study, enterprise)
);

CREATE TABLE score_statement (
  entry         bigint PRIMARY KEY,             -- of the log
  enterprise    text NOT NULL,
  study         text NOT NULL REFERENCES study,
  purpose       text NOT NULL,                  -- of the study
  note          text NOT NULL,                  -- as the enterprise signed it
  grade         text NOT NULL,
  window_until  text NOT NULL,                  -- ISO date
  issued_at     timestamptz NOT NULL
);
CREATE INDEX score_statement_of ON score_statement (enterprise, study, entry);

CREATE TABLE credit_case (
  number        bigint PRIMARY KEY,
  enterprise    text NOT NULL,
  cause         text NOT NULL CHECK (cause IN ('grade', 'warning')),
  suggestion    text NOT NULL,
  assigned_to   text,
  decision      text,
  decided_at    timestamptz
);
-- One is open at a time: what comes meanwhile raises it anew.
CREATE UNIQUE INDEX credit_case_open ON credit_case (enterprise, cause) WHERE decision IS NULL;

CREATE TABLE case_event (
  entry         bigint PRIMARY KEY,             -- of the log
  number        bigint NOT NULL REFERENCES credit_case,
  what          text NOT NULL CHECK (what IN ('raised', 'assigned', 'commented', 'decided')),
  by_whom       text NOT NULL,                  -- empty where the policy raised it
  said          text NOT NULL,                  -- cause, assignee, comment or reason
  salt          text NOT NULL,                  -- of a comment's digest in the log
  step          text NOT NULL,                  -- suggestion or decision
  cause_entry   bigint,
  at            timestamptz NOT NULL
);
CREATE INDEX case_event_of ON case_event (number, entry);
