//! lifeboat beside PostgreSQL's own tools, on databases of real applications.

mod configuration;
mod encoding;
mod every_option;
mod folder;
mod format;
mod formats;
mod gauntlet;
mod large_objects;
mod old_archives;
mod plain;
mod postgis;
mod readers;
mod standby;
mod subscription;
mod tar;
mod written;
mod zabbix;
