-- When a study ended, by whatever way; cleared where it goes on. A study that was pruned never does.
ALTER TABLE study ADD COLUMN ended_at timestamptz;
ALTER TABLE study ADD COLUMN pruned bigint;     -- index of the log entry that says so
UPDATE study SET ended_at = now() WHERE phase IN ('finished', 'failed', 'stopped');

CREATE FUNCTION study_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.phase = OLD.phase THEN RETURN NEW; END IF;
  IF NEW.phase IN ('finished', 'failed', 'stopped') THEN
    NEW.ended_at = now();
  ELSE
    IF OLD.pruned IS NOT NULL THEN RAISE EXCEPTION 'the study was pruned'; END IF;
    NEW.ended_at = NULL;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER study_ends BEFORE UPDATE ON study FOR EACH ROW EXECUTE FUNCTION study_ends();

-- An older checkpoint says nothing that a newer one does not; the newest stays.
CREATE FUNCTION log_checkpoint_end_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM log_checkpoint WHERE size > OLD.size) THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'the privacy log is append-only';
END $$;
DROP TRIGGER log_checkpoint_append_only ON log_checkpoint;
CREATE TRIGGER log_checkpoint_append_only BEFORE DELETE ON log_checkpoint
  FOR EACH ROW EXECUTE FUNCTION log_checkpoint_end_stays();
