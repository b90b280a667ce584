-- min: 17
CREATE DOMAIN standard AS integer NOT NULL;
CREATE DOMAIN named AS text CONSTRAINT "never null" NOT NULL CONSTRAINT a CHECK (VALUE <> '') DEFAULT 'x';
COMMENT ON CONSTRAINT "never null" ON DOMAIN named IS 'something';
COMMENT ON CONSTRAINT standard_not_null ON DOMAIN standard IS 'by default';
COMMENT ON CONSTRAINT a ON DOMAIN named IS 'before NOT NULL';
CREATE DOMAIN renamed AS integer NOT NULL;
ALTER DOMAIN renamed RENAME TO "Other name";
