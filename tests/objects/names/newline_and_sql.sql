-- Out of a comment of a script, into statements and commands of psql.
\set x 'x\n; DROP SCHEMA public CASCADE;\n\\! false\n-- '
\ir every_kind.inc
