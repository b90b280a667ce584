-- min: 16
-- None of them connects to anything.
SELECT :SERVER_VERSION_NUM >= 140000 AS streaming, :SERVER_VERSION_NUM >= 150000 AS two_phase,
    :SERVER_VERSION_NUM >= 160000 AS origin, :SERVER_VERSION_NUM >= 170000 AS failover \gset
CREATE SUBSCRIPTION plain CONNECTION 'host=nowhere.invalid dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE);
CREATE SUBSCRIPTION "Sub scription" CONNECTION 'host=nowhere.invalid password=''it\''s \\ secret''' PUBLICATION "Pub lication", other
    WITH (connect = false, slot_name = "a_slot", synchronous_commit = 'remote_apply');
COMMENT ON SUBSCRIPTION "Sub scription" IS 'it''s a subscription';
\if :streaming
CREATE SUBSCRIPTION binary_streaming CONNECTION 'host=nowhere.invalid' PUBLICATION p
    WITH (connect = false, slot_name = NONE, binary = true, streaming = true);
\endif
\if :two_phase
CREATE SUBSCRIPTION two_phase CONNECTION 'host=nowhere.invalid' PUBLICATION p
    WITH (connect = false, slot_name = NONE, two_phase = true, disable_on_error = true);
\endif
\if :origin
ALTER SUBSCRIPTION plain OWNER TO alice;
CREATE SUBSCRIPTION without_origin CONNECTION 'host=nowhere.invalid password=x' PUBLICATION p
    WITH (connect = false, slot_name = NONE, origin = none, streaming = parallel, password_required = false, run_as_owner = true);
\endif
\if :failover
CREATE SUBSCRIPTION failing_over CONNECTION 'host=nowhere.invalid' PUBLICATION p
    WITH (connect = false, slot_name = NONE, failover = true);
\endif
