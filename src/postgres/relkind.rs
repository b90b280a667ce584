//! The kinds of relation by their letters in `pg_class.relkind`: the one table of them. A letter that a newer PostgreSQL
//! brings gets its place here, and selection, survey, privileges and the look at a restore's target follow.

/// Groups of relkinds, as they stand in SQL after IN.
macro_rules! relkinds {
    // Relations in the eyes of a user: what patterns of tables find, what a restore's target is asked for, and what has
    // privileges of relations.
    (relations) => {
        "('r', 'p', 'v', 'm', 'S', 'f')"
    };
    // Tables, which can be locked.
    (tables) => {
        "('r', 'p')"
    };
    // Tables and foreign tables.
    (tables_of_any_server) => {
        "('r', 'p', 'f')"
    };
    // What has rows and pages of its own.
    (stored) => {
        "('r', 'm')"
    };
    // What rows can be selected from, and the planner has statistics of.
    (with_statistics) => {
        "('r', 'p', 'm', 'f')"
    };
    // What is a query.
    (queries) => {
        "('v', 'm')"
    };
    (indexes) => {
        "('i', 'I')"
    };
    // What the survey of relations passes over: indexes and TOAST tables, and whatever another kind of object reads.
    (not_surveyed) => {
        "('i', 'I', 't')"
    };
    // The words for what is in the column, in CREATE and in an archive.
    (words of $column:literal) => {
        concat!(
            "CASE ",
            $column,
            " WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' \
             WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END"
        )
    };
    // The words for it in GRANT.
    (grant words of $column:literal) => {
        concat!("CASE ", $column, " WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END")
    };
    // What acldefault() calls it.
    (acl letter of $column:literal) => {
        concat!("CASE ", $column, " WHEN 'S' THEN 's'::pg_catalog.\"char\" ELSE 'r'::pg_catalog.\"char\" END")
    };
    // What no statement of a user's names by itself in FROM: no system catalog is one of these.
    (not_catalogs) => {
        "('i', 'I', 't', 'v', 'S', 'c')"
    };
}
pub(crate) use relkinds;

macro_rules! surveyed {
    ($($(#[$doc:meta])* $kind:ident = $letter:literal $words:literal,)*) => {
        /// What a relation is that the survey finds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Relkind {
            $($(#[$doc])* $kind,)*
        }

        impl Relkind {
            /// The kind that a `pg_class.relkind` stands for; `None` for a letter that is not known.
            pub fn from_letter(letter: u8) -> Option<Self> {
                match letter {
                    $($letter => Some(Self::$kind),)*
                    _ => None,
                }
            }

            /// Its `pg_class.relkind`.
            pub fn letter(self) -> u8 {
                match self {
                    $(Self::$kind => $letter,)*
                }
            }

            /// The words for it in CREATE, DROP and COMMENT.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$kind => $words,)*
                }
            }
        }
    };
}

surveyed! {
    Table = b'r' "TABLE",
    PartitionedTable = b'p' "TABLE",
    ForeignTable = b'f' "FOREIGN TABLE",
    View = b'v' "VIEW",
    MaterializedView = b'm' "MATERIALIZED VIEW",
    Sequence = b'S' "SEQUENCE",
    /// The relation behind a composite type.
    CompositeType = b'c' "TYPE",
}

impl Relkind {
    /// The words for it in most forms of ALTER, where only foreign tables are told from tables.
    pub fn alter_words(self) -> &'static str {
        if self == Self::ForeignTable { "FOREIGN TABLE" } else { "TABLE" }
    }
}
