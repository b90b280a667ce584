-- database: IS_TEMPLATE true TABLESPACE elsewhere
CREATE TABLE t (a integer) TABLESPACE pg_default;
CREATE TABLE u (a integer PRIMARY KEY);
INSERT INTO t VALUES (1);
