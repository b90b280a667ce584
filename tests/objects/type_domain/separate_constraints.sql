-- Not validated, added after the data, which need not fulfil it.
CREATE DOMAIN lax AS integer CONSTRAINT validated CHECK (VALUE > 0);
CREATE TABLE t (a lax);
INSERT INTO t VALUES (1);
ALTER DOMAIN lax ADD CONSTRAINT "Not valid" CHECK (VALUE > 5) NOT VALID;
COMMENT ON CONSTRAINT "Not valid" ON DOMAIN lax IS 'for new rows only';
COMMENT ON CONSTRAINT validated ON DOMAIN lax IS 'for all rows';
ALTER DOMAIN lax OWNER TO bob;

-- A constraint whose function takes the domain itself.
CREATE DOMAIN ouroboros AS integer;
CREATE FUNCTION bites(ouroboros) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 IS NOT NULL; END';
ALTER DOMAIN ouroboros ADD CONSTRAINT tail CHECK (bites(VALUE));
COMMENT ON CONSTRAINT tail ON DOMAIN ouroboros IS 'after its function';
CREATE TABLE snakes (s ouroboros);
