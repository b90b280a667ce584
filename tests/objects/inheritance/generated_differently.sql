-- min: 16
CREATE TABLE gen (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE differently (a integer, b integer GENERATED ALWAYS AS (a * 3) STORED) INHERITS (gen);
CREATE TABLE gen_merged (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED) INHERITS (gen);
INSERT INTO differently VALUES (4);
CREATE TABLE parted (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED) PARTITION BY LIST (a);
CREATE TABLE part (a integer, b integer GENERATED ALWAYS AS (a * 5) STORED);
ALTER TABLE parted ATTACH PARTITION part FOR VALUES IN (1);
INSERT INTO parted VALUES (1);
