-- Every sort of quote, backslashes, and what formats.
\set x '"\'""\'\'`\\\\" %s%n %1$s %%I %d'
\ir every_kind.inc
