//! The options of pg_dumpall.

use crate::pg_tools::getopt::{OptionSpec, flag, value};

/// What an option means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opt {
    BinaryUpgrade,
    Clean,
    Database,
    DataOnly,
    Dbname,
    Encoding,
    ExcludeDatabase,
    File,
    Filter,
    GlobalsOnly,
    Host,
    IfExists,
    LockWaitTimeout,
    NoComments,
    NoPassword,
    NoPrivileges,
    NoRolePasswords,
    NoSchema,
    NoSecurityLabels,
    NoSync,
    NoTablespaces,
    Password,
    Port,
    QuoteAllIdentifiers,
    RestrictKey,
    Role,
    RolesOnly,
    SchemaOnly,
    StatisticsOnly,
    TablespacesOnly,
    Username,
    Verbose,
    /// What only the dumps of databases are told: pg_dump has it by the same name, and reads it.
    Passed(&'static str),
}

/// An option of pg_dump's without an argument.
const fn passed(long: &'static str) -> OptionSpec<Opt> {
    flag(long, Opt::Passed(long))
}

/// One with an argument.
const fn passed_value(long: &'static str, placeholder: &'static str) -> OptionSpec<Opt> {
    value(long, Opt::Passed(long), placeholder)
}

/// All of them.
pub(super) const OPTIONS: &[OptionSpec<Opt>] = &[
    flag("data-only", Opt::DataOnly).short(b'a').help("rows only, no definitions, no roles and no tablespaces"),
    flag("clean", Opt::Clean).short(b'c').help("drop databases, roles and tablespaces before they are made"),
    value("encoding", Opt::Encoding, "ENCODING").short(b'E').help("write everything in this encoding"),
    value("file", Opt::File, "FILENAME").short(b'f').help("the file to write"),
    flag("globals-only", Opt::GlobalsOnly).short(b'g').help("roles and tablespaces only, no databases"),
    value("host", Opt::Host, "HOSTNAME").short(b'h').help("the server's host, or the folder of its socket"),
    value("dbname", Opt::Dbname, "CONNSTR").short(b'd').help("a connection string or URL"),
    value("database", Opt::Database, "DBNAME")
        .short(b'l')
        .help("the database to begin in, instead of postgres or template1"),
    passed("no-owner").short(b'O').help("no statements about owners"),
    value("port", Opt::Port, "PORT").short(b'p').help("the server's port"),
    flag("roles-only", Opt::RolesOnly).short(b'r').help("roles only, no databases and no tablespaces"),
    flag("schema-only", Opt::SchemaOnly).short(b's').help("definitions only, no rows and no statistics"),
    passed_value("superuser", "NAME").short(b'S').help("who switches triggers off"),
    flag("tablespaces-only", Opt::TablespacesOnly).short(b't').help("tablespaces only, no databases and no roles"),
    value("username", Opt::Username, "NAME").short(b'U').help("the role to log in as"),
    flag("verbose", Opt::Verbose).short(b'v').help("tell what is being done"),
    flag("no-password", Opt::NoPassword).short(b'w').help("never ask for a password"),
    flag("password", Opt::Password).short(b'W').help("ask for a password at once"),
    flag("no-privileges", Opt::NoPrivileges).short(b'x').help("no GRANT and REVOKE"),
    flag("no-acl", Opt::NoPrivileges),
    passed("attribute-inserts"),
    flag("binary-upgrade", Opt::BinaryUpgrade),
    passed("column-inserts").help("rows as INSERT statements with names of columns"),
    passed("disable-dollar-quoting").help("bodies of functions in single quotes"),
    passed("disable-triggers").help("rows only: switch triggers off meanwhile"),
    value("exclude-database", Opt::ExcludeDatabase, "PATTERN").help("none of these databases"),
    passed_value("extra-float-digits", "NUM").help("the server's setting of that name"),
    flag("if-exists", Opt::IfExists).help("with --clean: pass over what is not there"),
    passed("inserts").help("rows as INSERT statements"),
    value("lock-wait-timeout", Opt::LockWaitTimeout, "TIMEOUT").help("fail if a lock takes longer"),
    passed("no-table-access-method").since(15).help("no table access methods"),
    flag("no-tablespaces", Opt::NoTablespaces).help("no tablespaces"),
    flag("quote-all-identifiers", Opt::QuoteAllIdentifiers).help("quotes around all names"),
    passed("load-via-partition-root").help("rows of partitions go in by way of the topmost table"),
    value("role", Opt::Role, "ROLENAME").help("take this role, once connected"),
    passed("use-set-session-authorization").help("owners make their objects themselves"),
    flag("no-comments", Opt::NoComments).help("no comments"),
    passed("no-data").since(18).help("no rows"),
    passed("no-policies").since(18).help("no row security policies"),
    passed("no-publications").help("no publications"),
    flag("no-role-passwords", Opt::NoRolePasswords).help("no passwords of roles"),
    flag("no-schema", Opt::NoSchema).since(18).help("no definitions"),
    flag("no-security-labels", Opt::NoSecurityLabels).help("no security labels"),
    passed("no-subscriptions").help("no subscriptions"),
    passed("no-statistics").since(18).help("no statistics"),
    flag("no-sync", Opt::NoSync).help("do not wait for the disk"),
    passed("no-toast-compression").help("no compression methods of columns"),
    passed("no-unlogged-table-data").help("no rows of unlogged tables"),
    passed("on-conflict-do-nothing").help("INSERT passes over rows that are there"),
    passed_value("rows-per-insert", "NROWS").help("so many rows in each INSERT"),
    passed("statistics").since(18).help("the planner's statistics too"),
    flag("statistics-only", Opt::StatisticsOnly).since(18).help("the planner's statistics only"),
    value("filter", Opt::Filter, "FILENAME").since(17).help("databases to exclude, a rule a line"),
    passed("sequence-data").since(18).help("values of sequences, even without rows"),
    value("restrict-key", Opt::RestrictKey, "RESTRICT_KEY").help("the key of psql's \\restrict"),
];
