use bstr::{BString, ByteSlice};
use pgformat::{DumpId, Entry, Section};

use crate::postgres::archive::EntryIndex;
use crate::postgres::restore::non_superuser::foreign_objects::{ForeignObjects, Function, Object};
use crate::postgres::restore::non_superuser::role_limits::{NotGiven, RoleLimits};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::{Action, Destination, Plan, plan};

struct Made {
    plan: Plan,
    said: Vec<String>,
}

impl Made {
    /// The statements of the plan, drops first.
    fn statements(&self, entries: &[Entry]) -> Vec<String> {
        let steps = self.plan.drops.iter().chain(&self.plan.steps);
        steps.filter_map(|step| Some(step.statement(entries)?.trim_ascii().to_str_lossy().into_owned())).collect()
    }

    fn left(&self) -> Vec<String> {
        self.plan.role_limits.left.iter().map(|left| format!("{}: {}", left.entry, left.message)).collect()
    }

    fn stays(&self) -> Vec<String> {
        self.plan.role_limits.stays.iter().map(|stay| stay.entry.to_string()).collect()
    }
}

fn made(entries: &[Entry], options: &RestoreOptions, foreign: &ForeignObjects) -> Made {
    let destination = Destination { foreign: Some(foreign.clone()), ..Destination::NEWEST };
    let plan = plan(entries, (1, 16), options, &destination).unwrap();
    let said =
        plan.role_limits.messages.iter().map(|message| format!("{}: {}", message.subject, message.text)).collect();
    Made { plan, said }
}

fn entry(id: i32, desc: &str, name: (&str, &str), definition: &str, drop: &str, on: &[i32]) -> Entry {
    let (schema, tag) = name;
    let section = if desc == "EVENT TRIGGER" { Section::PostData } else { Section::PreData };
    let entry = Entry::new(DumpId(id), desc).section(section).tag(tag).owner("boss");
    let mut entry = entry.definition(format!("{definition};\n"));
    entry.schema = (!schema.is_empty()).then(|| schema.into());
    entry.drop_statement = (!drop.is_empty()).then(|| format!("DROP {drop};\n").into());
    entry.dependencies(on.iter().map(|id| DumpId(*id)).collect())
}

fn comment(id: i32, on: (i32, &str), text: &str) -> Entry {
    let definition = format!("COMMENT ON {} IS '{text}'", on.1);
    entry(id, "COMMENT", ("", on.1), &definition, "", &[on.0]).section(Section::None)
}

fn strings() -> Entry {
    entry(100, "STDSTRINGS", ("", "STDSTRINGS"), "SET standard_conforming_strings = 'on'", "", &[])
}

const TRIGGER: &str = "CREATE EVENT TRIGGER watch ON sql_drop\n   EXECUTE FUNCTION app.note()";
const BODY: &str = " BEGIN END ";

fn archive() -> Vec<Entry> {
    let note = "CREATE FUNCTION app.note() RETURNS event_trigger\n    LANGUAGE plpgsql\n    AS $$ BEGIN END $$";
    vec![
        strings(),
        entry(1, "SCHEMA", ("", "app"), "CREATE SCHEMA app", "SCHEMA app", &[]),
        entry(
            2,
            "EXTENSION",
            ("", "a-b"),
            "CREATE EXTENSION IF NOT EXISTS \"a-b\" WITH SCHEMA public",
            "EXTENSION x",
            &[],
        ),
        comment(3, (2, "EXTENSION \"a-b\""), "it''s"),
        entry(4, "FUNCTION", ("app", "note()"), note, "FUNCTION app.note()", &[1]),
        entry(5, "TABLE", ("app", "t"), "CREATE TABLE app.t ()", "TABLE app.t", &[1]),
        entry(6, "EVENT TRIGGER", ("", "watch"), TRIGGER, "EVENT TRIGGER watch", &[4]),
        comment(7, (6, "EVENT TRIGGER watch"), "w"),
    ]
}

fn with(objects: Vec<(&str, Object)>) -> ForeignObjects {
    let objects = objects.into_iter().map(|(name, object)| (BString::from(name), object)).collect();
    ForeignObjects { role: "app".into(), objects, ..ForeignObjects::default() }
}

fn of_root(definition: &str, comment: &str) -> Object {
    Object {
        owner: "root".into(),
        comment: Some(comment.into()),
        definition: Some(format!("{definition};\n").into()),
        ..Object::default()
    }
}

fn extension(schema: &str, comment: &str) -> Object {
    of_root(&format!("CREATE EXTENSION IF NOT EXISTS \"a-b\" WITH SCHEMA {schema}"), comment)
}

fn watch(definition: &str, is_mine: bool, body: &str) -> Object {
    let function = Function {
        schema: "app".into(),
        signature: "note()".into(),
        is_mine,
        language: "plpgsql".into(),
        body: body.into(),
        is_plain: true,
    };
    Object { function: Some(function), ..of_root(definition, "w") }
}

#[test]
fn role_that_may_do_everything_that_is_there_has_the_same_plan() {
    let entries = archive();
    let whole = plan(&entries, (1, 16), &RestoreOptions::default(), &Destination::NEWEST).unwrap();
    let made = made(&entries, &RestoreOptions::default(), &with(Vec::new()));
    let role_limits = RoleLimits { role: Some("app".into()), ..RoleLimits::default() };
    assert_eq!((made.plan, made.said), (Plan { role_limits, ..whole }, Vec::new()));
}

#[test]
fn extension_of_another_stays_with_its_comment() {
    let entries = archive();
    let made =
        made(&entries, &RestoreOptions::default(), &with(vec![("EXTENSION \"a-b\"", extension("public", "it's"))]));
    assert!(!made.statements(&entries).iter().any(|s| s.contains("EXTENSION")), "{:?}", made.statements(&entries));
    assert_eq!(made.said, ["EXTENSION a-b: it stays as it is: it belongs to root, and app may not replace it"]);
    assert_eq!((made.stays(), made.left()), (vec!["EXTENSION a-b".to_owned()], Vec::new()));
}

#[test]
fn what_differs_of_an_extension_is_said() {
    let entries = archive();
    let made = made(&entries, &RestoreOptions::default(), &with(vec![("EXTENSION \"a-b\"", extension("other", "no"))]));
    assert!(made.said.iter().any(|said| said.starts_with("EXTENSION a-b: it is in another schema")), "{:?}", made.said);
    assert!(made.said.iter().any(|said| said.starts_with("COMMENT EXTENSION \"a-b\": it stays")), "{:?}", made.said);
    assert_eq!(made.left(), Vec::<String>::new());
}

#[test]
fn schema_of_another_is_used_and_its_owner_and_comment_are_left() {
    let mut entries = archive();
    entries.push(comment(8, (1, "SCHEMA app"), "mine"));
    let others = || vec![("SCHEMA app", Object { may_create: false, ..of_root("", "theirs") })];
    let without = made(&entries, &RestoreOptions::default(), &with(others()));
    let statements = without.statements(&entries);
    assert!(!statements.iter().any(|s| s.contains("SCHEMA app") || s.contains("SCHEMA IF")), "{statements:?}");
    assert!(statements.contains(&"CREATE TABLE app.t ();".to_owned()), "{statements:?}");
    let comment = "COMMENT SCHEMA app: what it is on belongs to root, and app may not change it";
    assert_eq!(without.left(), [comment]);
    assert!(without.said.iter().any(|said| said.contains("GRANT CREATE ON SCHEMA app TO app")), "{:?}", without.said);
    let options = RestoreOptions { owner: true, ..RestoreOptions::default() };
    assert_eq!(made(&entries, &options, &with(others())).left(), ["SCHEMA app: its owner stays root", comment]);
}

#[test]
fn event_trigger_of_another_stays_and_its_function_is_replaced() {
    let entries = archive();
    let made =
        made(&entries, &RestoreOptions::default(), &with(vec![("EVENT TRIGGER watch", watch(TRIGGER, true, "x"))]));
    let statements = made.statements(&entries);
    assert!(!statements.iter().any(|s| s.contains("EVENT TRIGGER") || s.contains("DROP FUNCTION")), "{statements:?}");
    // The function is in the schema, which therefore cannot be dropped.
    assert!(!statements.iter().any(|s| s.contains("SCHEMA app") || s.contains("SCHEMA IF")), "{statements:?}");
    assert!(statements.iter().any(|s| s.starts_with("CREATE OR REPLACE FUNCTION app.note()")), "{statements:?}");
    assert!(statements.contains(&"CREATE TABLE app.t ();".to_owned()), "{statements:?}");
    assert_eq!((made.stays(), made.left()), (vec!["EVENT TRIGGER watch".to_owned()], Vec::new()));
}

#[test]
fn function_of_another_under_an_event_trigger_that_stays_must_be_the_same() {
    let entries = archive();
    let foreign = |body| with(vec![("EVENT TRIGGER watch", watch(TRIGGER, false, body))]);
    let same = made(&entries, &RestoreOptions::default(), &foreign(BODY));
    assert_eq!((same.stays().len(), same.left()), (2, Vec::new()));
    let other = made(&entries, &RestoreOptions::default(), &foreign("other"));
    let why = "FUNCTION app.note(): an event trigger that stays runs it, and it belongs to another role";
    assert_eq!((other.stays().len(), other.left()), (1, vec![why.to_owned()]));
    for made in [same, other] {
        assert!(!made.statements(&entries).iter().any(|s| s.contains("FUNCTION")));
    }
}

#[test]
fn another_event_trigger_of_the_name_is_left_with_its_comment() {
    let entries = archive();
    let other = TRIGGER.replace("sql_drop", "ddl_command_end");
    let made =
        made(&entries, &RestoreOptions::default(), &with(vec![("EVENT TRIGGER watch", watch(&other, true, BODY))]));
    assert!(!made.statements(&entries).iter().any(|s| s.contains("EVENT TRIGGER")));
    let left = made.left();
    assert!(left[0].starts_with("EVENT TRIGGER watch: there is one of that name"), "{left:?}");
    assert_eq!(left[1..], ["COMMENT EVENT TRIGGER watch: left along with EVENT TRIGGER watch"]);
    // Of old, it said PROCEDURE.
    let old = TRIGGER.replace("FUNCTION", "PROCEDURE");
    let mut entries = entries;
    entries[6].definition = Some(format!("{old};\n").into());
    let foreign = with(vec![("EVENT TRIGGER watch", watch(TRIGGER, true, BODY))]);
    assert_eq!(
        crate::postgres::restore::non_superuser::tests::made(&entries, &RestoreOptions::default(), &foreign).left(),
        Vec::<String>::new()
    );
}

#[test]
fn owners_that_cannot_be_given_objects_are_put_down_once() {
    let entries = archive();
    let options = RestoreOptions { owner: true, ..RestoreOptions::default() };
    let foreign = ForeignObjects { owners: [("boss".into(), true)].into(), ..with(Vec::new()) };
    let made = made(&entries, &options, &foreign);
    assert!(!made.statements(&entries).iter().any(|s| s.contains("OWNER TO")));
    let entries_of = |n: &usize| EntryIndex::all(8).nth(*n).unwrap();
    let given = [1, 4, 5, 6].iter().map(entries_of).collect();
    assert_eq!(made.plan.role_limits.not_given, [("boss".into(), NotGiven { is_there: true, entries: given })].into());
    // In one transaction they are tried, and it fails as a whole.
    let options = RestoreOptions { single_transaction: true, ..options };
    let made = crate::postgres::restore::non_superuser::tests::made(&entries, &options, &foreign);
    assert_eq!(made.left(), Vec::<String>::new());
    assert!(
        made.plan.steps.iter().any(|step| matches!(&step.action, Action::Alter(s) if s.contains_str("OWNER TO boss")))
    );
}

#[test]
fn what_could_not_be_made_anew_is_not_dropped() {
    let entries = archive();
    let own = |object| Object { is_mine: true, ..object };
    let others = vec![
        ("SCHEMA app", own(Object { may_create: true, ..of_root("", "x") })),
        ("EXTENSION \"a-b\"", own(extension("public", "no"))),
    ];
    let made = made(&entries, &RestoreOptions::default(), &ForeignObjects { database: "D b".into(), ..with(others) });
    let statements = made.statements(&entries);
    assert!(!statements.iter().any(|s| s.contains("SCHEMA app") || s.contains("SCHEMA IF")), "{statements:?}");
    assert!(
        !statements.iter().any(|s| s.contains("DROP EXTENSION") || s.contains("CREATE EXTENSION")),
        "{statements:?}"
    );
    // What is its own it may change.
    assert!(statements.iter().any(|s| s.starts_with("COMMENT ON EXTENSION")), "{statements:?}");
    assert!(made.said.iter().all(|said| said.contains("GRANT CREATE ON DATABASE \"D b\" TO app")), "{:?}", made.said);
    assert_eq!((made.said.len(), made.left()), (2, Vec::new()));

    let closed = with(vec![("SCHEMA app", Object { may_create: false, ..of_root("", "x") })]);
    let made = crate::postgres::restore::non_superuser::tests::made(&entries, &RestoreOptions::default(), &closed);
    let drops: Vec<_> = made.plan.drops.iter().filter(|step| matches!(step.action, Action::Drop(_))).collect();
    assert_eq!(drops.len(), 2, "the event trigger and the extension: {drops:?}");
}
