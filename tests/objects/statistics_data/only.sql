-- options: --statistics-only
-- irrecoverable: there is nothing that the statistics could be of
-- Without rows to wait for, those of materialized views come where those of tables do.
\ir relations.sql
