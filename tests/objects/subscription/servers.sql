-- min: 19
-- extension: postgres_fdw
-- None of them connects to anything.
CREATE EXTENSION postgres_fdw;
CREATE SERVER "Far away" FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'nowhere');
CREATE USER MAPPING FOR postgres SERVER "Far away" OPTIONS (user 'x', password 'y');
CREATE SUBSCRIPTION by_server SERVER "Far away" PUBLICATION p, "Q r" WITH (connect = false, slot_name = NONE);
CREATE SUBSCRIPTION by_string CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE, retain_dead_tuples = true, max_retention_duration = 1000, wal_receiver_timeout = '10s');
CREATE SUBSCRIPTION limited CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE, max_retention_duration = 5, wal_receiver_timeout = '0');
CREATE SUBSCRIPTION every_option SERVER "Far away" PUBLICATION p WITH (connect = false, slot_name = 'slot_of_it', retain_dead_tuples = true,
    max_retention_duration = 7, wal_receiver_timeout = '1min', binary = true, two_phase = true, disable_on_error = true, password_required = false,
    run_as_owner = true, failover = true, synchronous_commit = 'local', origin = 'none', streaming = off);
COMMENT ON SUBSCRIPTION by_server IS 'by a server';
