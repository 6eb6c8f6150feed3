-- Index of the log entry that names the roster: whoever is told of a recovery wants to see it in the log.
ALTER TABLE roster ADD COLUMN entry bigint;
-- Of the one that proposed it: an enterprise that lost its ledger takes part in later ones only.
ALTER TABLE study ADD COLUMN entry bigint;

-- Where the database was restored from a backup: enterprises wait until the auditor has found that nothing is missing,
-- or has signed what is.
CREATE TABLE restored (
  size          bigint NOT NULL,                -- of the log in the backup
  accepted      boolean NOT NULL DEFAULT false
);

-- Backups that were written and read back.
CREATE TABLE backup (
  begun_at      timestamptz NOT NULL,
  size          bigint NOT NULL                 -- of the log
);
