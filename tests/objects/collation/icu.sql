-- needs: icu
CREATE SCHEMA "Col";
CREATE COLLATION "Col"."German Phone" (PROVIDER = icu, LOCALE = 'de-u-co-phonebk');
CREATE COLLATION insensitive (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE COLLATION copied FROM "de-x-icu";
ALTER COLLATION "Col"."German Phone" OWNER TO alice;
COMMENT ON COLLATION insensitive IS 'a = A';
CREATE TABLE t (a text COLLATE "Col"."German Phone" PRIMARY KEY, b text COLLATE insensitive UNIQUE, c text COLLATE "sv-x-icu");
INSERT INTO t VALUES ('Ärger', 'x', 'å'), ('Arbeit', 'y', 'ö');
CREATE INDEX ON t (c COLLATE copied);
SELECT :SERVER_VERSION_NUM >= 160000 AS rules \gset
\if :rules
CREATE COLLATION ruled (PROVIDER = icu, LOCALE = 'und', RULES = '&V << w <<< W');
\endif
