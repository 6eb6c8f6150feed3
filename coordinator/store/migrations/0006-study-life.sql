-- A study that is paused goes on from where it stands.
ALTER TABLE study DROP CONSTRAINT study_phase_check;
ALTER TABLE study ADD CONSTRAINT study_phase_check CHECK (phase IN (
  'proposed', 'running', 'paused', 'finished', 'failed', 'stopped'));

-- Who took its consent back is told apart from who never gave it.
ALTER TABLE consent ADD COLUMN withdrawn_at timestamptz;
