-- Attempts to work an import off are counted before they are begun: `failures` is by now how many were begun
-- since rows were last worked off, without those that had to give way.
ALTER TABLE imports ADD COLUMN postponed INTEGER NOT NULL DEFAULT 0;
-- until when nobody begins another one
ALTER TABLE imports ADD COLUMN not_before TIMESTAMPTZ;
