-- min: 18
-- options: --no-data --statistics
\ir relations.sql
