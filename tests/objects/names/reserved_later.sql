-- A word that is reserved since 16. (A policy's role of that name is another matter: see tests/beyond_pg_dump.rs.)
\set x system_user
\set cluster lifeboat_later
\ir every_kind.inc
