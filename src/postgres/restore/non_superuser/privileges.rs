//! Whether a schema that belongs to another has the privileges that an archive gives.

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};

/// What `ALL` means for a schema.
const ALL: [&[u8]; 2] = [b"USAGE", b"CREATE"];

/// Whether GRANT and REVOKE statements about `object` would change nothing of the privileges that it has: `alice USAGE`,
/// with `*` if they may be passed on. Of statements that are not understood, it is not known, and so they would.
pub(super) fn are_given(statements: &BStr, object: &BStr, given: &HashSet<BString>) -> bool {
    let mut wanted: HashMap<BString, Option<bool>> = HashMap::new();
    for statement in statements.lines().map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
        let Some(statement) = statement.strip_suffix(b";") else { return false };
        let (rest, between, is_grant) = match (statement.strip_prefix(b"GRANT "), statement.strip_prefix(b"REVOKE ")) {
            (Some(rest), _) => (rest, b" TO ".as_slice(), true),
            (_, Some(rest)) => (rest, b" FROM ".as_slice(), false),
            _ => return false,
        };
        let between = [b" ON ", object.as_bytes(), between].concat();
        let Some((privileges, grantee)) = rest.split_once_str(&between) else { return false };
        let (grantee, is_grantable) = match grantee.strip_suffix(b" WITH GRANT OPTION") {
            Some(grantee) => (grantee, true),
            None => (grantee, false),
        };
        let privileges: Vec<&[u8]> =
            if privileges == b"ALL" { ALL.to_vec() } else { privileges.split_str(",").collect() };
        for privilege in privileges {
            if !ALL.contains(&privilege) {
                return false;
            }
            wanted.insert([grantee, b" ", privilege].concat().into(), is_grant.then_some(is_grantable));
        }
    }
    wanted.iter().all(|(privilege, state)| {
        let passed_on: BString = [privilege.as_slice(), b"*"].concat().into();
        *state == if given.contains(&passed_on) { Some(true) } else { given.contains(privilege).then_some(false) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are(statements: &str) -> bool {
        let given = ["PUBLIC USAGE", "PUBLIC CREATE", "alice USAGE", "\"B b\" USAGE*"].map(BString::from).into();
        are_given(statements.into(), "SCHEMA public".into(), &given)
    }

    #[test]
    fn statements_that_change_nothing() {
        assert!(are("REVOKE USAGE ON SCHEMA public FROM PUBLIC;\nGRANT ALL ON SCHEMA public TO PUBLIC;\n"));
        assert!(are("GRANT USAGE ON SCHEMA public TO alice;\n\nREVOKE CREATE ON SCHEMA public FROM alice;\n"));
        assert!(are("GRANT USAGE ON SCHEMA public TO \"B b\" WITH GRANT OPTION;"));
        assert!(are("GRANT USAGE,CREATE ON SCHEMA public TO PUBLIC;"));
        assert!(are(""));
    }

    #[test]
    fn statements_that_change_something() {
        for statement in [
            "REVOKE USAGE ON SCHEMA public FROM PUBLIC;",
            "GRANT ALL ON SCHEMA public TO alice;",
            "GRANT USAGE ON SCHEMA public TO carol;",
            "GRANT USAGE ON SCHEMA public TO alice WITH GRANT OPTION;",
            "GRANT USAGE ON SCHEMA public TO \"B b\";",
            "GRANT USAGE ON SCHEMA other TO alice;",
            "REVOKE GRANT OPTION FOR USAGE ON SCHEMA public FROM alice;",
            "SET SESSION AUTHORIZATION bob;\nGRANT USAGE ON SCHEMA public TO alice;",
            "GRANT USAGE ON SCHEMA public TO alice",
            "GRANT OTHER ON SCHEMA public TO alice;",
        ] {
            assert!(!are(statement), "{statement}");
        }
    }
}
