-- Hashes of enums change with their OIDs, so that rows must find their partitions anew.
CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
CREATE TABLE "By colour" (c colour, n integer) PARTITION BY HASH (c);
CREATE TABLE colour_0 PARTITION OF "By colour" FOR VALUES WITH (MODULUS 2, REMAINDER 0) PARTITION BY LIST (n);
CREATE TABLE colour_0_1 PARTITION OF colour_0 FOR VALUES IN (1);
CREATE TABLE colour_0_rest PARTITION OF colour_0 DEFAULT;
CREATE TABLE colour_1 PARTITION OF "By colour" FOR VALUES WITH (MODULUS 2, REMAINDER 1);
