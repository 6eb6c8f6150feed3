-- Members ---------------------------------------------------------------------------------------
CREATE TABLE enrolment_token (
  token_hash    bytea PRIMARY KEY,              -- SHA-256: the token itself is not kept
  enterprise    text NOT NULL,
  organisation  text NOT NULL,
  expires_at    timestamptz NOT NULL,
  used_at       timestamptz
);

CREATE TABLE enterprise (
  id            text PRIMARY KEY,
  organisation  text NOT NULL,
  identity_key  text NOT NULL,                  -- signed-note verifier key
  hpke_key      bytea NOT NULL CHECK (octet_length(hpke_key) = 32),
  enrolled_at   timestamptz NOT NULL
);

CREATE TABLE roster (
  number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest        text NOT NULL,                  -- of the signed text
  note          text NOT NULL,
  phase         text NOT NULL CHECK (phase IN ('pending', 'current', 'past'))
);
CREATE UNIQUE INDEX roster_one_pending ON roster (phase) WHERE phase = 'pending';
CREATE UNIQUE INDEX roster_one_current ON roster (phase) WHERE phase = 'current';

CREATE TABLE key_epoch (
  epoch         bigint PRIMARY KEY,
  roster        text NOT NULL,
  dealer        text NOT NULL,
  commitment    text NOT NULL,
  dealt         bytea NOT NULL,                 -- the dealer's message: sealed keys only
  rounds        integer NOT NULL DEFAULT 0,     -- attempts opened under this epoch
  logged        boolean NOT NULL DEFAULT false
);

-- Studies ---------------------------------------------------------------------------------------
CREATE TABLE study (
  digest        text PRIMARY KEY,               -- of the canonical manifest
  name          text NOT NULL UNIQUE,
  manifest      text NOT NULL,                  -- canonical JSON
  phase         text NOT NULL CHECK (phase IN ('proposed', 'running', 'finished', 'failed', 'stopped')),
  state         text,                           -- digest of the model state, in the blob store
  algorithm     text,                           -- the one that runs now
  round         integer NOT NULL DEFAULT 0,     -- the one that runs now, from 1
  attempt       integer NOT NULL DEFAULT 0,     -- of that round, from 1
  reason        text,
  detail        text,
  proposed_at   timestamptz NOT NULL,
  number        bigint GENERATED ALWAYS AS IDENTITY
);

CREATE TABLE consent (
  study         text NOT NULL REFERENCES study,
  enterprise    text NOT NULL REFERENCES enterprise,
  note          text NOT NULL,
  expires_at    timestamptz NOT NULL,
  PRIMARY KEY (study, enterprise)
);

-- One row for each attempt of a round. `aggregate` is set once the masks are off: from then on the attempt is
-- finished from what is stored, before it the attempt is abandoned when the process ends.
CREATE TABLE attempt (
  round_id      text PRIMARY KEY,
  study         text NOT NULL REFERENCES study,
  round         integer NOT NULL,
  attempt       integer NOT NULL,
  header        text NOT NULL,                  -- canonical JSON
  phase         text NOT NULL CHECK (phase IN ('open', 'unmasked', 'released', 'aborted')),
  aggregate     text,                           -- what step 6 needs, canonical JSON
  reason        text,
  party         text,
  survivors     integer,
  sum           text,                           -- digest of the released slots
  state         text,                           -- digest of the model state after the server step
  UNIQUE (study, round, attempt)
);
-- At most one sum of a round is ever released.
CREATE UNIQUE INDEX attempt_one_release ON attempt (study, round) WHERE phase IN ('unmasked', 'released');

CREATE TABLE model (
  digest        text PRIMARY KEY,
  study         text NOT NULL UNIQUE REFERENCES study,
  document      text NOT NULL,                  -- canonical JSON: results, lineage, protection
  published_at  timestamptz NOT NULL
);

-- Privacy log -----------------------------------------------------------------------------------
CREATE TABLE log_entry (
  index         bigint PRIMARY KEY CHECK (index >= 0),
  entry         bytea NOT NULL
);

-- Hashes of complete subtrees: level 0 holds the leaves, (level, index) covers 2^level of them.
CREATE TABLE log_hash (
  level         smallint NOT NULL,
  index         bigint NOT NULL,
  hash          bytea NOT NULL CHECK (octet_length(hash) = 32),
  PRIMARY KEY (level, index)
);

-- Every size that was signed, with the cosignatures held for it. The largest is the log's.
CREATE TABLE log_checkpoint (
  size          bigint PRIMARY KEY CHECK (size >= 0),
  note          text NOT NULL
);

CREATE FUNCTION log_checkpoint_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.size = OLD.size THEN RETURN NEW; END IF;
  IF TG_OP = 'INSERT' AND NOT EXISTS (SELECT FROM log_checkpoint WHERE size >= NEW.size) THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'the signed log size only grows';
END $$;
CREATE TRIGGER log_checkpoint_grows BEFORE INSERT OR UPDATE ON log_checkpoint
  FOR EACH ROW EXECUTE FUNCTION log_checkpoint_grows();

CREATE FUNCTION log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the privacy log is append-only';
END $$;
CREATE TRIGGER log_entry_append_only BEFORE UPDATE OR DELETE ON log_entry
  FOR EACH ROW EXECUTE FUNCTION log_is_append_only();
CREATE TRIGGER log_hash_append_only BEFORE UPDATE OR DELETE ON log_hash
  FOR EACH ROW EXECUTE FUNCTION log_is_append_only();
CREATE TRIGGER log_checkpoint_append_only BEFORE DELETE ON log_checkpoint
  FOR EACH ROW EXECUTE FUNCTION log_is_append_only();

CREATE TABLE ledger_checkpoint (
  enterprise    text NOT NULL REFERENCES enterprise,
  size          bigint NOT NULL,
  root          text NOT NULL,
  note          text NOT NULL,
  PRIMARY KEY (enterprise, size)
);
