-- Who got the grant option hands privileges on, the order matters, and so does in whose name each is given.
CREATE TABLE t (a integer, b integer);
ALTER TABLE t OWNER TO alice;
SET SESSION AUTHORIZATION alice;
GRANT SELECT ON t TO bob WITH GRANT OPTION;
GRANT UPDATE ON t TO bob;
SET SESSION AUTHORIZATION bob;
GRANT SELECT ON t TO carol WITH GRANT OPTION;
GRANT SELECT ON t TO PUBLIC;
SET SESSION AUTHORIZATION carol;
GRANT SELECT ON t TO bob;
GRANT SELECT (b) ON t TO PUBLIC;
RESET SESSION AUTHORIZATION;
-- The owner's own privileges in part, and with what he need not have.
CREATE TABLE mine (a integer);
ALTER TABLE mine OWNER TO alice;
SET SESSION AUTHORIZATION alice;
REVOKE INSERT, DELETE ON mine FROM alice;
GRANT SELECT ON mine TO alice WITH GRANT OPTION;
GRANT SELECT ON mine TO carol;
RESET SESSION AUTHORIZATION;
