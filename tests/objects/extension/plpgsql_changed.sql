COMMENT ON EXTENSION plpgsql IS 'not what it was';
