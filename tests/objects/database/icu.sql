-- min: 15
-- needs: icu
-- database: LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk' LC_COLLATE 'C' LC_CTYPE 'C'
CREATE TABLE t (a text PRIMARY KEY);
INSERT INTO t VALUES ('Ärger'), ('Zahl');
