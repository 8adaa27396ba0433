-- Erasure that holds: what a person had before, and what was emptied.
SELECT;
