-- A type and the functions that read and write it, and what needs the type, its functions or both.
CREATE TYPE own;
CREATE FUNCTION zz_own_in(cstring) RETURNS own IMMUTABLE STRICT LANGUAGE internal AS 'textin';
CREATE FUNCTION aa_own_out(own) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout';
CREATE TYPE own (INPUT = zz_own_in, OUTPUT = aa_own_out, LIKE = text, COLLATABLE = true);
CREATE FUNCTION own_lt(own, own) RETURNS boolean IMMUTABLE STRICT LANGUAGE internal AS 'text_lt';
CREATE FUNCTION own_le(own, own) RETURNS boolean IMMUTABLE STRICT LANGUAGE internal AS 'text_le';
CREATE FUNCTION own_eq(own, own) RETURNS boolean IMMUTABLE STRICT LANGUAGE internal AS 'texteq';
CREATE FUNCTION own_ge(own, own) RETURNS boolean IMMUTABLE STRICT LANGUAGE internal AS 'text_ge';
CREATE FUNCTION own_gt(own, own) RETURNS boolean IMMUTABLE STRICT LANGUAGE internal AS 'text_gt';
CREATE FUNCTION own_cmp(own, own) RETURNS integer IMMUTABLE STRICT LANGUAGE internal AS 'bttextcmp';
CREATE FUNCTION own_larger(own, own) RETURNS own IMMUTABLE STRICT LANGUAGE internal AS 'text_larger';
CREATE OPERATOR < (LEFTARG = own, RIGHTARG = own, FUNCTION = own_lt, COMMUTATOR = >, NEGATOR = >=);
CREATE OPERATOR <= (LEFTARG = own, RIGHTARG = own, FUNCTION = own_le, COMMUTATOR = >=, NEGATOR = >);
CREATE OPERATOR = (LEFTARG = own, RIGHTARG = own, FUNCTION = own_eq, COMMUTATOR = =, MERGES);
CREATE OPERATOR >= (LEFTARG = own, RIGHTARG = own, FUNCTION = own_ge, COMMUTATOR = <=, NEGATOR = <);
CREATE OPERATOR > (LEFTARG = own, RIGHTARG = own, FUNCTION = own_gt, COMMUTATOR = <, NEGATOR = <=);
CREATE OPERATOR CLASS own_ops DEFAULT FOR TYPE own USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 own_cmp(own, own);
CREATE AGGREGATE largest(own) (SFUNC = own_larger, STYPE = own, SORTOP = >);
CREATE CAST (own AS text) WITHOUT FUNCTION AS IMPLICIT;
-- A range of it, whose functions need the range.
CREATE FUNCTION own_difference(own, own) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS 'SELECT 1.0::double precision';
CREATE TYPE owns;
CREATE FUNCTION aa_owns_canonical(owns) RETURNS owns LANGUAGE internal IMMUTABLE STRICT AS 'int4range_canonical';
CREATE TYPE owns AS RANGE (SUBTYPE = own, SUBTYPE_DIFF = own_difference, CANONICAL = aa_owns_canonical);
-- Domains, composite types, tables and views of both.
CREATE DOMAIN aa_owned AS own CHECK (VALUE > 'a'::own);
CREATE TYPE aa_pair AS (o own, r owns, d aa_owned[]);
CREATE FUNCTION aa_of_pair(aa_pair) RETURNS own LANGUAGE sql AS 'SELECT $1.o';
CREATE CAST (aa_pair AS own) WITH FUNCTION aa_of_pair(aa_pair);
CREATE TABLE aa_t (o own DEFAULT ROW('x', NULL, NULL)::aa_pair::own, d aa_owned, CHECK (o > 'a'::own));
INSERT INTO aa_t VALUES ('b', 'c');
CREATE VIEW aa_v AS SELECT largest(o) AS o, ROW(largest(o), NULL, NULL)::aa_pair::own AS p FROM aa_t;
CREATE FUNCTION aa_of_view(aa_v) RETURNS aa_owned LANGUAGE sql AS 'SELECT NULL::aa_owned';
CREATE CAST (aa_v AS aa_owned) WITH FUNCTION aa_of_view(aa_v);
-- A shell that has functions and was never filled.
CREATE TYPE hollow;
CREATE FUNCTION hollow_in(cstring) RETURNS hollow IMMUTABLE STRICT LANGUAGE internal AS 'textin';
CREATE FUNCTION hollow_out(hollow) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout';
