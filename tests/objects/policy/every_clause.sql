CREATE SCHEMA "S s";
CREATE TABLE "S s"."T t" (a integer, "B b" text);
ALTER TABLE "S s"."T t" OWNER TO alice;
ALTER TABLE "S s"."T t" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "S s"."T t" FORCE ROW LEVEL SECURITY;
INSERT INTO "S s"."T t" VALUES (1, 'x'), (-1, 'y');
CREATE POLICY plain ON "S s"."T t";
CREATE POLICY "Reading ""r""" ON "S s"."T t" FOR SELECT TO bob, alice USING (a > 0 AND "B b" <> '%');
CREATE POLICY inserting ON "S s"."T t" AS RESTRICTIVE FOR INSERT TO carol WITH CHECK ("B b" IS NOT NULL);
CREATE POLICY updating ON "S s"."T t" FOR UPDATE TO PUBLIC USING (a = 1) WITH CHECK (a = 2);
CREATE POLICY deleting ON "S s"."T t" AS PERMISSIVE FOR DELETE TO CURRENT_USER USING (true);
COMMENT ON POLICY "Reading ""r""" ON "S s"."T t" IS 'a comment';
-- Policies without row security, and row security without policies.
CREATE TABLE off (a integer);
CREATE POLICY plain ON off FOR SELECT USING (a IN (SELECT t.a FROM "S s"."T t" AS t));
CREATE TABLE "On" (a integer) PARTITION BY LIST (a);
ALTER TABLE "On" ENABLE ROW LEVEL SECURITY;
CREATE TABLE on1 PARTITION OF "On" FOR VALUES IN (1);
CREATE FUNCTION may(integer) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT true';
CREATE POLICY by_function ON on1 USING (may(a));
-- The catalog notes the same role twice.
CREATE POLICY twice ON "S s"."T t" TO CURRENT_USER, SESSION_USER, bob USING (a = 3);
