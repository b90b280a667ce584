-- min: 19
-- extension: btree_gist
CREATE EXTENSION btree_gist;
CREATE TABLE nets (i inet, c cidr, r int4range, EXCLUDE USING gist (i inet_ops WITH &&), EXCLUDE USING gist (c WITH =, r WITH &&),
    EXCLUDE USING gist (i gist_inet_ops WITH =));
CREATE INDEX by_default ON nets USING gist (i);
CREATE INDEX by_extension ON nets USING gist (i gist_inet_ops, c gist_cidr_ops);
CREATE INDEX by_server ON nets USING gist (i inet_ops, c inet_ops);
INSERT INTO nets VALUES ('10.0.0.1', '10.0.0.0/8', '[1,2)');
