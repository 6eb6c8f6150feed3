-- Members ---------------------------------------------------------------------------------------
ALTER TABLE enterprise ADD COLUMN removed_at timestamptz;   -- expelled; it may enrol again

-- Every certificate an enterprise was given. One that is revoked stays so.
CREATE TABLE client_certificate (
  serial        text PRIMARY KEY,               -- hexadecimal, without leading zeros
  enterprise    text NOT NULL REFERENCES enterprise,
  issued_at     timestamptz NOT NULL,
  revoked_at    timestamptz
);

-- Whoever did something wrong sits out what the scope names: a roster (key epochs), a study (a half that failed).
CREATE TABLE left_out (
  scope         text NOT NULL,                  -- digest of the roster or the study
  enterprise    text NOT NULL,
  reason        text NOT NULL,
  PRIMARY KEY (scope, enterprise)
);

-- Key epochs ------------------------------------------------------------------------------------
-- A row is there before the first message of an opening: a number is never used again.
DROP TABLE key_epoch;
CREATE TABLE key_epoch (
  epoch         bigint PRIMARY KEY,
  digest        text UNIQUE,                    -- as all members signed it; none where the opening failed
  record        text,                           -- canonical JSON of all that was signed
  slots_taken   integer NOT NULL DEFAULT 0
);

-- What sharers sealed and signed, as long as an attempt may need it.
CREATE TABLE epoch_share (
  epoch         bigint NOT NULL REFERENCES key_epoch,
  sharer        text NOT NULL,
  message       bytea NOT NULL,                 -- its ShareEpoch message
  PRIMARY KEY (epoch, sharer)
);
ALTER TABLE epoch_share ALTER COLUMN message SET STORAGE EXTERNAL;

-- Rounds ----------------------------------------------------------------------------------------
-- `point` is what a killed coordinator goes on from, once the submissions are durable; `outcome` is how the
-- attempt ended, as far as the next one needs it.
DROP INDEX attempt_one_release;
ALTER TABLE attempt DROP CONSTRAINT attempt_phase_check;
ALTER TABLE attempt DROP COLUMN aggregate;
ALTER TABLE attempt DROP COLUMN sum;
ALTER TABLE attempt ADD COLUMN point text;
ALTER TABLE attempt ADD COLUMN outcome text;
ALTER TABLE attempt ADD CONSTRAINT attempt_phase_check CHECK (phase IN (
  'open', 'agreeing', 'unmasking', 'releasing', 'released', 'aborted', 'rerun', 'split', 'lost'));
-- A step has one sum or none.
CREATE UNIQUE INDEX attempt_one_release ON attempt (study, round) WHERE phase = 'released';
CREATE INDEX attempt_unfinished ON attempt (phase) WHERE phase IN ('open', 'agreeing', 'unmasking', 'releasing');

CREATE TABLE unmask_message (
  round_id      text NOT NULL REFERENCES attempt,
  enterprise    text NOT NULL,
  message       text NOT NULL,
  PRIMARY KEY (round_id, enterprise)
);

CREATE TABLE sum_certificate (
  study         text NOT NULL REFERENCES study,
  round         integer NOT NULL,
  digest        text NOT NULL UNIQUE,
  document      text NOT NULL,                  -- canonical JSON
  entry         bigint NOT NULL,                -- index of the log entry that names it
  PRIMARY KEY (study, round)
);

-- Privacy log -----------------------------------------------------------------------------------
-- What entries name by its digest and is in no table of its own.
CREATE TABLE attachment (
  digest        text PRIMARY KEY,
  document      text NOT NULL                   -- canonical JSON
);
