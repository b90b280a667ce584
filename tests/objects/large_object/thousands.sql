-- More than fit into one entry, and then more with other privileges.
SELECT count(lo_from_bytea(i, i::text::bytea)) FROM generate_series(100001, 102500) AS i;
DO $$
BEGIN
    FOR i IN 101200 .. 102300 LOOP
        EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO bob', i);
    END LOOP;
END $$;
COMMENT ON LARGE OBJECT 101999 IS 'one in the middle';
