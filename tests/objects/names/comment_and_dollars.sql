-- Ends of comments, of dollar quotes, of strings.
\set x '*/ $$ $_$ $x$ E\'\' \'; /*'
\ir every_kind.inc
