-- max: 17
-- options: --statistics
-- irrecoverable: servers before 18 have no functions that take statistics
\ir relations.sql
