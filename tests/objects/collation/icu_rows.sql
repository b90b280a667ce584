-- irrecoverable: not every server is built with ICU, but each has the catalog
SELECT :SERVER_VERSION_NUM >= 160000 AS rules, :SERVER_VERSION_NUM >= 150000 AS locale \gset
SET allow_system_table_mods = on;
\if :rules
INSERT INTO pg_collation SELECT 90001, 'Ru led', 'public'::regnamespace, 10, 'i', true, -1, NULL, NULL, 'und', '&V << w <<< W', '153.14';
INSERT INTO pg_collation SELECT 90002, 'loose', 'public'::regnamespace, 10, 'i', false, -1, NULL, NULL, 'und-u-ks-level2', NULL, NULL;
\elif :locale
INSERT INTO pg_collation SELECT 90001, 'Ru led', 'public'::regnamespace, 10, 'i', true, -1, NULL, NULL, 'de-u-co-phonebk', '153.14';
INSERT INTO pg_collation SELECT 90002, 'loose', 'public'::regnamespace, 10, 'i', false, -1, NULL, NULL, 'und-u-ks-level2', NULL;
\else
INSERT INTO pg_collation SELECT 90001, 'Ru led', 'public'::regnamespace, 10, 'i', true, -1, 'de-u-co-phonebk', 'de-u-co-phonebk', '153.14';
INSERT INTO pg_collation SELECT 90002, 'loose', 'public'::regnamespace, 10, 'i', false, -1, 'und-u-ks-level2', 'und-u-ks-level2', NULL;
\endif
