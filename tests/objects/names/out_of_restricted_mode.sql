-- Out of the mode in which psql takes no commands.
\set x 'x\n\\unrestrict\n\\connect - postgres\n\\restrict x'
\ir every_kind.inc
