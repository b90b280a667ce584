-- min: 19
ALTER DATABASE :"DBNAME" SET search_path = NULL;
ALTER DATABASE :"DBNAME" SET temp_tablespaces = NULL;
ALTER DATABASE :"DBNAME" SET session_preload_libraries = NULL;
ALTER DATABASE :"DBNAME" SET DateStyle TO NULL;
ALTER DATABASE :"DBNAME" SET log_min_messages = 'warning, walsender:debug1';
ALTER DATABASE :"DBNAME" SET wal_receiver_timeout = '7s';
ALTER ROLE bob IN DATABASE :"DBNAME" SET search_path = NULL;
