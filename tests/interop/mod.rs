//! lifeboat beside PostgreSQL's own tools, on databases of real applications.

mod format;
mod large_objects;
mod zabbix;
