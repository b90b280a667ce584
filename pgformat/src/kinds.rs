//! The kinds of entries that PostgreSQL 8.0 to 18 write into archives, one row each, with what a restore needs to know
//! about a kind. An entry of a kind that is not here is readable all the same: its section is in the archive.

use crate::Section;
use crate::kinds::{DropForm::*, EntryGroup as G, Owner::*};
use Section::{Data, PostData, PreData};

/// Whether an object of a kind has an owner of its own, and how `ALTER … OWNER TO` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// It has no owner, or that of the object it belongs to.
    Inherited,
    /// `ALTER <kind> <schema>.<tag> OWNER TO …`.
    ByTag,
    /// As its drop statement names it, arguments and all: `DROP FUNCTION f(integer)` gives `ALTER FUNCTION f(integer)`.
    ByDropStatement,
    /// `ALTER LARGE OBJECT <tag> OWNER TO …`.
    LargeObject,
    /// Its definition lists large objects, each of which gets the owner.
    LargeObjects,
}

/// What its drop statement looks like, and so how `IF EXISTS` goes into it. An entry may have an empty one all the same,
/// if it goes away with something else, or a statement of its own: the schema `public` has a comment, and a view that was
/// part of a loop a `CREATE OR REPLACE VIEW`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropForm {
    /// It is not dropped by itself.
    NoDrop,
    /// `DROP <words> …`: `IF EXISTS` goes after the words, which are these.
    Words(&'static str),
    /// `ALTER TABLE … DROP CONSTRAINT …` or `ALTER DOMAIN … DROP CONSTRAINT …`: `IF EXISTS` goes after `ALTER TABLE`
    /// and, once more, after `DROP CONSTRAINT`.
    Constraint,
    /// `ALTER TABLE … ALTER COLUMN … DROP DEFAULT`: `IF EXISTS` goes after `ALTER TABLE`.
    Column,
    /// A call of `lo_unlink` for one large object, to be made only if that exists.
    Unlink,
    /// A list of large objects, each to be unlinked if it exists.
    UnlinkAll,
    /// `ALTER <object> DETACH …` and the like, or another statement that is run as it is.
    AsIs,
}

/// What an option that selects by kind has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryGroup {
    /// A setting of the restoring session: encoding, string syntax, search path.
    Session,
    /// The database itself and its settings; restored only where the database is created.
    Database,
    /// A schema.
    Schema,
    /// Tables, views, sequences and what else `--table` names.
    Relation,
    /// Rows, and sequences' values.
    Data,
    /// An index.
    Index,
    /// A constraint, or a column's default.
    Constraint,
    /// A trigger on a table.
    Trigger,
    /// A function, a procedure or an aggregate.
    Routine,
    /// A large object: its existence or its content.
    LargeObject,
    /// Privileges.
    Acl,
    /// A comment.
    Comment,
    /// A security label.
    SecurityLabel,
    /// A policy, or the row security of a table.
    Policy,
    /// A publication, and what it publishes.
    Publication,
    /// A subscription, and its state.
    Subscription,
    /// Statistics that the planner uses, as data.
    StatisticsData,
    /// Anything else.
    Other,
}

/// When in a restore an entry has its turn; each pass is over before the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RestorePass {
    /// Everything that has no reason to wait.
    Main,
    /// Privileges, so that they do not keep the restoring role from its work.
    Acl,
    /// What runs users' code or watches what is done: materialized views' contents, event triggers.
    PostAcl,
}

/// One kind of entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kind {
    /// The word or words in the entry's `desc`.
    pub desc: &'static str,
    /// The section it is written with; where [`Kind::section_varies`], the usual one.
    pub section: Section,
    /// Its owner.
    pub owner: Owner,
    /// Its drop statement.
    pub drop: DropForm,
    /// What options select it by.
    pub group: EntryGroup,
    /// When it is restored.
    pub pass: RestorePass,
    /// Whether it can have data: a block in the archive.
    pub has_data: bool,
}

impl Kind {
    /// Whether entries of this kind are written with different sections: statistics go with what they are of.
    pub fn section_varies(&self) -> bool {
        self.desc == "STATISTICS DATA"
    }
}

/// When an entry of this kind and tag has its turn. Comments and security labels go with their object. Of an unknown kind:
/// in the main pass. (Statistics of a materialized view wait for its data too, which only its dependencies show.)
pub fn pass(desc: &[u8], tag: &[u8]) -> RestorePass {
    match find(desc) {
        Some(kind) if matches!(kind.group, G::Comment | G::SecurityLabel) && tag.starts_with(b"EVENT TRIGGER ") => {
            RestorePass::PostAcl
        }
        Some(kind) => kind.pass,
        None => RestorePass::Main,
    }
}

/// Finds a kind by the word or words in an entry's `desc`.
pub fn find(desc: &[u8]) -> Option<&'static Kind> {
    // It is asked for several times for each entry, of which there may be hundreds of thousands.
    let mut at = slot(desc);
    loop {
        // The table is never full, or it would not compile.
        let kind = ALL.get(usize::from(SLOTS[at]).checked_sub(1)?)?;
        if kind.desc.as_bytes() == desc {
            return Some(kind);
        }
        at = (at + 1) % SLOTS.len();
    }
}

/// A hash table of [`ALL`]: places in it from 1 on, and 0 where there is none.
static SLOTS: [u8; 512] = {
    let mut slots = [0; 512];
    let mut number = 0;
    while number < ALL.len() {
        let mut at = slot(ALL[number].desc.as_bytes());
        while slots[at] != 0 {
            at = (at + 1) % slots.len();
        }
        number += 1;
        assert!(number <= u8::MAX as usize);
        slots[at] = number as u8;
    }
    slots
};

/// Where in the table a kind is looked for first.
const fn slot(desc: &[u8]) -> usize {
    let length = desc.len();
    if length == 0 {
        return 0;
    }
    let (first, middle, last) = (desc[0] as usize, desc[length / 2] as usize, desc[length - 1] as usize);
    (length * 37 + first * 5 + middle * 11 + last * 17) % 512
}

const fn kind(desc: &'static str, section: Section, owner: Owner, drop: DropForm, group: EntryGroup) -> Kind {
    let pass = match group {
        G::Acl => RestorePass::Acl,
        _ => RestorePass::Main,
    };
    Kind { desc, section, owner, drop, group, pass, has_data: false }
}

const fn late(kind: Kind) -> Kind {
    Kind { pass: RestorePass::PostAcl, ..kind }
}

const fn holds_data(kind: Kind) -> Kind {
    Kind { has_data: true, ..kind }
}

/// All kinds, in the order of their names.
pub static ALL: &[Kind] = &[
    kind("ACCESS METHOD", PreData, Inherited, Words("ACCESS METHOD"), G::Other),
    kind("ACL", Section::None, Inherited, NoDrop, G::Acl),
    kind("ACL LANGUAGE", Section::None, Inherited, NoDrop, G::Acl),
    kind("AGGREGATE", PreData, ByDropStatement, Words("AGGREGATE"), G::Routine),
    kind("BLOB", PreData, LargeObject, Unlink, G::LargeObject),
    kind("BLOB COMMENTS", Data, Inherited, NoDrop, G::LargeObject),
    kind("BLOB METADATA", Data, LargeObjects, UnlinkAll, G::LargeObject),
    holds_data(kind("BLOBS", Data, Inherited, NoDrop, G::LargeObject)),
    kind("CAST", PreData, Inherited, Words("CAST"), G::Other),
    kind("CHECK CONSTRAINT", PostData, Inherited, Constraint, G::Constraint),
    kind("COLLATION", PreData, ByTag, Words("COLLATION"), G::Other),
    kind("COMMENT", Section::None, Inherited, NoDrop, G::Comment),
    kind("CONSTRAINT", PostData, Inherited, Constraint, G::Constraint),
    kind("CONVERSION", PreData, ByTag, Words("CONVERSION"), G::Other),
    kind("DATABASE", PreData, ByTag, Words("DATABASE"), G::Database),
    kind("DATABASE PROPERTIES", PreData, Inherited, AsIs, G::Database),
    kind("DEFAULT", PreData, Inherited, Column, G::Constraint),
    kind("DEFAULT ACL", PostData, Inherited, NoDrop, G::Acl),
    kind("DOMAIN", PreData, ByTag, Words("DOMAIN"), G::Other),
    kind("ENCODING", PreData, Inherited, NoDrop, G::Session),
    late(kind("EVENT TRIGGER", PostData, ByTag, Words("EVENT TRIGGER"), G::Other)),
    kind("EXTENDED STATISTICS DATA", PostData, Inherited, NoDrop, G::StatisticsData),
    kind("EXTENSION", PreData, Inherited, Words("EXTENSION"), G::Other),
    kind("FK CONSTRAINT", PostData, Inherited, Constraint, G::Constraint),
    kind("FOREIGN DATA WRAPPER", PreData, ByTag, Words("FOREIGN DATA WRAPPER"), G::Other),
    kind("FOREIGN TABLE", PreData, ByTag, Words("FOREIGN TABLE"), G::Relation),
    kind("FUNCTION", PreData, ByDropStatement, Words("FUNCTION"), G::Routine),
    kind("INDEX", PostData, Inherited, Words("INDEX"), G::Index),
    kind("INDEX ATTACH", PostData, Inherited, NoDrop, G::Index),
    kind("MATERIALIZED VIEW", PreData, ByTag, Words("MATERIALIZED VIEW"), G::Relation),
    late(kind("MATERIALIZED VIEW DATA", PostData, Inherited, NoDrop, G::Data)),
    kind("OPERATOR", PreData, ByDropStatement, Words("OPERATOR"), G::Other),
    kind("OPERATOR CLASS", PreData, ByDropStatement, Words("OPERATOR CLASS"), G::Other),
    kind("OPERATOR FAMILY", PreData, ByDropStatement, Words("OPERATOR FAMILY"), G::Other),
    kind("POLICY", PostData, Inherited, Words("POLICY"), G::Policy),
    kind("PROCEDURAL LANGUAGE", PreData, ByTag, Words("PROCEDURAL LANGUAGE"), G::Other),
    kind("PROCEDURE", PreData, ByDropStatement, Words("PROCEDURE"), G::Routine),
    kind("PUBLICATION", PostData, ByTag, Words("PUBLICATION"), G::Publication),
    kind("PUBLICATION TABLE", PostData, Inherited, NoDrop, G::Publication),
    kind("PUBLICATION TABLES IN SCHEMA", PostData, Inherited, NoDrop, G::Publication),
    kind("ROW SECURITY", PostData, Inherited, NoDrop, G::Policy),
    kind("RULE", PostData, Inherited, Words("RULE"), G::Other),
    kind("SCHEMA", PreData, ByTag, Words("SCHEMA"), G::Schema),
    kind("SEARCHPATH", PreData, Inherited, NoDrop, G::Session),
    kind("SECURITY LABEL", Section::None, Inherited, NoDrop, G::SecurityLabel),
    kind("SEQUENCE", PreData, ByTag, Words("SEQUENCE"), G::Relation),
    kind("SEQUENCE OWNED BY", PreData, Inherited, NoDrop, G::Other),
    kind("SEQUENCE SET", Data, Inherited, NoDrop, G::Data),
    kind("SERVER", PreData, ByTag, Words("SERVER"), G::Other),
    kind("SHELL TYPE", PreData, Inherited, NoDrop, G::Other),
    kind("STATISTICS", PostData, ByTag, Words("STATISTICS"), G::Other),
    kind("STATISTICS DATA", Data, Inherited, NoDrop, G::StatisticsData),
    kind("STDSTRINGS", PreData, Inherited, NoDrop, G::Session),
    kind("SUBSCRIPTION", PostData, ByTag, Words("SUBSCRIPTION"), G::Subscription),
    kind("SUBSCRIPTION TABLE", PostData, Inherited, NoDrop, G::Subscription),
    kind("TABLE", PreData, ByTag, Words("TABLE"), G::Relation),
    kind("TABLE ATTACH", PreData, Inherited, NoDrop, G::Other),
    holds_data(kind("TABLE DATA", Data, Inherited, NoDrop, G::Data)),
    kind("TEXT SEARCH CONFIGURATION", PreData, ByTag, Words("TEXT SEARCH CONFIGURATION"), G::Other),
    kind("TEXT SEARCH DICTIONARY", PreData, ByTag, Words("TEXT SEARCH DICTIONARY"), G::Other),
    kind("TEXT SEARCH PARSER", PreData, Inherited, Words("TEXT SEARCH PARSER"), G::Other),
    kind("TEXT SEARCH TEMPLATE", PreData, Inherited, Words("TEXT SEARCH TEMPLATE"), G::Other),
    kind("TRANSFORM", PreData, Inherited, Words("TRANSFORM"), G::Other),
    kind("TRIGGER", PostData, Inherited, Words("TRIGGER"), G::Trigger),
    kind("TYPE", PreData, ByTag, Words("TYPE"), G::Other),
    kind("USER MAPPING", PreData, Inherited, Words("USER MAPPING"), G::Other),
    kind("VIEW", PreData, ByTag, Words("VIEW"), G::Relation),
    kind("WARNING", PreData, Inherited, NoDrop, G::Other),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_kind_is_found() {
        assert!(ALL.is_sorted_by(|a, b| a.desc < b.desc));
        for kind in ALL {
            assert_eq!(find(kind.desc.as_bytes()), Some(kind));
        }
        assert_eq!(find(b"PROPERTY GRAPH"), None);
        assert_eq!(find(b""), None);
    }

    #[test]
    fn comments_wait_with_their_event_triggers() {
        assert_eq!(pass(b"COMMENT", b"EVENT TRIGGER audit"), RestorePass::PostAcl);
        assert_eq!(pass(b"SECURITY LABEL", b"EVENT TRIGGER audit"), RestorePass::PostAcl);
        assert_eq!(pass(b"COMMENT", b"TABLE t"), RestorePass::Main);
        assert_eq!(pass(b"DEFAULT ACL", b"DEFAULT PRIVILEGES FOR TABLES"), RestorePass::Acl);
        assert_eq!(pass(b"PROPERTY GRAPH", b"g"), RestorePass::Main);
    }
}
