-- max: 18
-- changes: the setting of the database is not restored without its definition
-- Where backslashes escape.
ALTER DATABASE :"DBNAME" SET standard_conforming_strings = off;
ALTER DATABASE :"DBNAME" SET escape_string_warning = off;
\c -
\set x 'back\\slash \\\' "\\'
\ir every_kind.inc
