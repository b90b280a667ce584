//! The system catalogs by their OIDs, which are the same in every server version.

/// A system catalog whose rows have OIDs of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Catalog(pub u32);

macro_rules! catalogs {
    ($($constant:ident = $oid:literal $name:literal,)*) => {
        impl Catalog {
            $(#[doc = concat!("`", $name, "`")] pub const $constant: Catalog = Catalog($oid);)*
            /// Every catalog that lifeboat knows.
            pub const KNOWN: &'static [Catalog] = &[$(Catalog::$constant,)*];
            /// The catalog's name, where it is a known one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($oid => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

catalogs! {
    ACCESS_METHOD = 2601 "pg_am",
    ACCESS_METHOD_OPERATOR = 2602 "pg_amop",
    ACCESS_METHOD_PROCEDURE = 2603 "pg_amproc",
    ATTRIBUTE_DEFAULT = 2604 "pg_attrdef",
    AUTH_MEMBERS = 1261 "pg_auth_members",
    AUTHID = 1260 "pg_authid",
    CAST = 2605 "pg_cast",
    CLASS = 1259 "pg_class",
    COLLATION = 3456 "pg_collation",
    CONSTRAINT = 2606 "pg_constraint",
    CONVERSION = 2607 "pg_conversion",
    DATABASE = 1262 "pg_database",
    DEFAULT_ACL = 826 "pg_default_acl",
    ENUM = 3501 "pg_enum",
    EVENT_TRIGGER = 3466 "pg_event_trigger",
    EXTENSION = 3079 "pg_extension",
    FOREIGN_DATA_WRAPPER = 2328 "pg_foreign_data_wrapper",
    FOREIGN_SERVER = 1417 "pg_foreign_server",
    LANGUAGE = 2612 "pg_language",
    LARGE_OBJECT = 2613 "pg_largeobject",
    LARGE_OBJECT_METADATA = 2995 "pg_largeobject_metadata",
    NAMESPACE = 2615 "pg_namespace",
    OPERATOR = 2617 "pg_operator",
    OPERATOR_CLASS = 2616 "pg_opclass",
    OPERATOR_FAMILY = 2753 "pg_opfamily",
    PARAMETER_ACL = 6243 "pg_parameter_acl",
    POLICY = 3256 "pg_policy",
    PROCEDURE = 1255 "pg_proc",
    PUBLICATION = 6104 "pg_publication",
    PUBLICATION_NAMESPACE = 6237 "pg_publication_namespace",
    PUBLICATION_REL = 6106 "pg_publication_rel",
    REWRITE = 2618 "pg_rewrite",
    STATISTIC_EXT = 3381 "pg_statistic_ext",
    SUBSCRIPTION = 6100 "pg_subscription",
    TABLESPACE = 1213 "pg_tablespace",
    TRANSFORM = 3576 "pg_transform",
    TRIGGER = 2620 "pg_trigger",
    TS_CONFIG = 3602 "pg_ts_config",
    TS_DICT = 3600 "pg_ts_dict",
    TS_PARSER = 3601 "pg_ts_parser",
    TS_TEMPLATE = 3764 "pg_ts_template",
    TYPE = 1247 "pg_type",
    USER_MAPPING = 1418 "pg_user_mapping",
}

/// Lets nothing compile unless `$holds` of every known catalog and its name; the error gives the name of the one that it
/// does not hold of.
macro_rules! check_each_catalog {
    ($holds:path) => {
        const _: () = {
            let mut at = 0;
            while at < Catalog::KNOWN.len() {
                let catalog = Catalog::KNOWN[at];
                if let Some(name) = catalog.name()
                    && !$holds(catalog, name)
                {
                    panic!("{}", name);
                }
                at += 1;
            }
        };
    };
}
pub(super) use check_each_catalog;

impl Catalog {
    /// Those whose rows may be parts of objects of any kind, without names of their own, and go with what they are parts of.
    /// Default privileges are among them: they are privileges.
    pub const PARTS: [Catalog; 12] = [
        Catalog::CLASS,
        Catalog::CONSTRAINT,
        Catalog::ATTRIBUTE_DEFAULT,
        Catalog::TRIGGER,
        Catalog::REWRITE,
        Catalog::TYPE,
        Catalog::PROCEDURE,
        Catalog::ACCESS_METHOD_OPERATOR,
        Catalog::ACCESS_METHOD_PROCEDURE,
        Catalog::CAST,
        Catalog::DEFAULT_ACL,
        Catalog::OPERATOR_CLASS,
    ];

    /// Whether the list has the catalog.
    pub const fn is_in(self, list: &[Catalog]) -> bool {
        let mut at = 0;
        while at < list.len() {
            if list[at].0 == self.0 {
                return true;
            }
            at += 1;
        }
        false
    }
}

/// Whether `text` begins with `beginning`.
pub(super) const fn begins_with(text: &str, beginning: &str) -> bool {
    let (text, beginning) = (text.as_bytes(), beginning.as_bytes());
    let mut at = 0;
    while at < beginning.len() {
        if at >= text.len() || text[at] != beginning[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// A row of a system catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CatalogId {
    /// The catalog.
    pub catalog: Catalog,
    /// The row's OID.
    pub oid: u32,
}

/// The first OID that a database's users get; all below were assigned when the cluster was made.
pub const FIRST_USER_OID: u32 = 16384;
