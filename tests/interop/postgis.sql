CREATE EXTENSION postgis;
CREATE EXTENSION postgis_topology;
CREATE EXTENSION fuzzystrmatch;
-- Rows of users in tables of extensions.
INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text)
    VALUES (990001, 'lifeboat', 1, 'LOCAL_CS["of our own"]', '+proj=longlat +datum=WGS84 +no_defs');
SELECT topology.CreateTopology('town', 4326) \g /dev/null
SELECT topology.TopoGeo_AddLineString('town', ST_GeomFromText('LINESTRING(0 0, 1 1)', 4326)) \g /dev/null
-- Privileges on what is an extension's.
GRANT SELECT ON geometry_columns TO alice;
GRANT SELECT, INSERT ON spatial_ref_sys TO bob WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION st_area(geometry) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION st_area(geometry) TO carol;
-- What users make with it.
CREATE TABLE places (
    id serial PRIMARY KEY, name text, at geometry(Point, 4326), around geography(Polygon, 4326),
    east double precision GENERATED ALWAYS AS (ST_X(at)) STORED, CHECK (ST_IsValid(at))
);
INSERT INTO places (name, at, around) VALUES
    ('origin', 'SRID=4326;POINT(0 0)', 'SRID=4326;POLYGON((0 0, 0 1, 1 1, 0 0))'),
    ('far', ST_SetSRID(ST_MakePoint(179.99, -45.5), 4326), NULL), ('nowhere', NULL, NULL);
CREATE INDEX ON places USING gist (at);
CREATE INDEX ON places USING spgist (at);
CREATE INDEX ON places USING gist (ST_Transform(at, 3857));
CREATE INDEX ON places USING brin (around);
CREATE STATISTICS east_and_name ON east, name FROM places;
CREATE TABLE local (a geometry(LineString, 990001) DEFAULT 'SRID=990001;LINESTRING(0 0, 1 1)');
ALTER TABLE local ALTER a SET (n_distinct = 5);
INSERT INTO local VALUES (DEFAULT);
CREATE VIEW near AS SELECT name FROM places WHERE at && ST_MakeEnvelope(-1, -1, 1, 1, 4326) ORDER BY at <-> 'SRID=4326;POINT(0 0)';
CREATE VIEW columns AS SELECT f_table_name, srid, type FROM geometry_columns;
CREATE MATERIALIZED VIEW collected AS SELECT ST_Collect(at) AS g FROM places;
CREATE DOMAIN spot AS geometry(Point) CHECK (ST_SRID(VALUE) = 4326);
CREATE FUNCTION longest() RETURNS geometry LANGUAGE sql AS 'SELECT a FROM public.local ORDER BY public.ST_Length(a) DESC LIMIT 1';
CREATE AGGREGATE united(geometry) (SFUNC = st_union, STYPE = geometry);
COMMENT ON TABLE places IS 'where we were';
