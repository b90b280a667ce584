-- A line may end in other ways.
\set x 'x\r\\q\r\n\\q\fy\tz'
\ir every_kind.inc
