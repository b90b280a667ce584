//! Passwords at places of the command line where they do not belong, and where they do: none is repeated.

use crate::support::{Output, Scene, lifeboat, output};

/// Runs it in the ways in which things are said, and fails if one of them shows the password.
fn says_nothing_of_it(scene: &Scene, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut outs = Vec::new();
    for more in [&[][..], &["--json"]] {
        let mut command = lifeboat();
        command.current_dir(scene.path(".")).args(arguments).args(more).envs(variables.iter().copied());
        let out = output(&mut command);
        for text in [out.stdout(), out.stderr()] {
            assert!(!text.to_lowercase().contains("geheim") && !text.contains("g%65heim"), "{out}");
        }
        outs.push(out);
    }
    outs.swap_remove(0)
}

/// Words that hold the password `geheim`.
const WORDS: [&str; 14] = [
    "postgresql://u:geheim@127.0.0.1:1/d",
    "postgresql+asyncpg://u:geheim@127.0.0.1:1",
    "postgres://u:g%65heim@127.0.0.1:1/geheim",
    "postgresql://127.0.0.1:1/d?user=u&password=geheim",
    "postgresql://u:a/geheim@127.0.0.1:1/d",
    "postgresql://u:a@geheim@127.0.0.1:1/d",
    "postgresql://u:geheim\n@127.0.0.1:1/d",
    "host=127.0.0.1 port=1 password=geheim",
    "host=127.0.0.1 port=1 password = 'a \\' geheim' user=u",
    "PGPASSWORD=geheim",
    "mysql://root:geheim@h/d",
    "u:geheim@h/d",
    "u:geheim@h",
    "sqlite:///u:geheim@h",
];

#[test]
fn a_password_at_the_wrong_place_is_not_repeated() {
    let scene = Scene::new();
    scene.database("a.db", "delete", 1);
    for (number, word) in WORDS.iter().enumerate() {
        // As the name of a database it is none, and may be told.
        let word = &word.replace("/geheim", "/d");
        let (long, short) = (format!("--ulr={word}"), format!("-D{word}"));
        let places = [
            &[word.as_str()][..],
            &["backup", word],
            &["backup", word, "--output", "o"],
            &["backup", "--output", "o", &long],
            &["backup", "--output", "o", "--ulr", word],
            &["backup", "--output", "o", &short],
            &["backup", "--output", "o", "--", word],
            &["--url", word, "backup", "--output", "o"],
            &["backup", "--output", word, "--url", "sqlite:///a.db", "extra"],
            &["backup", "--output", "o", "--url", "postgresql://127.0.0.1:1/d", "--jobs", word],
            &["backup", "--output", "o", "--url", "postgresql://127.0.0.1:1/d", "--section", word],
            &["backup", "--output", "o", "--url", "postgresql://127.0.0.1:1/d", "--compress", word],
            &["backup", "--output", "o", "--url", "postgresql://127.0.0.1:1/d", "--filter", word],
            &["backup", "--output", "o", "--url", "postgresql://127.0.0.1:1/d", "--lock-wait-timeout", word],
            &["backup", "--output", "o", "--url", word],
            &["restore", word],
            &["restore", word, word],
            &["restore", word, "--url", "sqlite:///a.db"],
            &["restore", word, "--script", "o"],
            &["restore", "a.db", "--use-list", word, "--url", "postgresql://127.0.0.1:1/d"],
            &["restore", "a.db", "--restrict-key", word, "--script", "o"],
            &["list", word],
            &["list", "a.db", word],
            &["verify", word],
            &["verify", "a.db", word],
            &["drill", word],
            &["drill", "--scratch", word],
        ];
        // What is a file, and what is not known, are all that make a difference to the form of the word.
        let apart = if number < 2 { 1 } else { 5 };
        for arguments in places.into_iter().skip(number % apart).step_by(apart) {
            let out = says_nothing_of_it(&scene, arguments, &[]);
            assert!(!out.success(), "{out}");
        }
        says_nothing_of_it(&scene, &["backup", "--help"], &[("LIFEBOAT_IDLE_TIMEOUT", &word.replace('\n', " "))]);
        for name in ["DATABASE_URL", "LIFEBOAT_IDLE_TIMEOUT", "PGHOST", "PGPORT", "PGPASSFILE", "PGSSLMODE"] {
            says_nothing_of_it(&scene, &["backup", "--output", "o"], &[(name, &word.replace('\n', " "))]);
        }
    }
    assert_eq!(scene.names(), ["a.db"]);
}

#[test]
fn a_password_that_is_a_word_of_its_own_is_not_repeated() {
    let scene = Scene::new();
    for arguments in [
        &["geheim"][..],
        &["backup", "geheim"],
        &["backup", "-pgeheim"],
        &["backup", "-vgeheim"],
        &["backup", "--password", "geheim"],
        &["backup", "--password=geheim"],
        &["backup", "--quiet=geheim"],
        &["backup", "--output", "o", "--url", "postgresql://u@127.0.0.1:1/d", "geheim"],
        &["backup", "--output", "o", "--jobs", "geheim"],
        &["backup", "--output", "o", "--section", "geheim"],
        &["backup", "--output", "o", "--archive-version", "geheim"],
        &["restore", "a", "--", "--geheim"],
        &["restore", "a", "--transaction-size", "geheim"],
        &["list", "a", "Geheim1"],
    ] {
        let out = says_nothing_of_it(&scene, arguments, &[]);
        assert_eq!(out.code(), 2, "{out}");
    }
}

#[test]
fn what_is_wrong_with_a_command_line_is_said_all_the_same() {
    let scene = Scene::new();
    for (arguments, says) in [
        (
            &["backup", "--outptu", "o"][..],
            "unexpected argument '--outptu' found\n\n  tip: a similar argument exists: '--output'",
        ),
        (
            &["backup", "--output", "o", "postgresql://u@h/d"],
            "unexpected argument (number 4) found\n\n  tip: the URL of the database is given with '--url'",
        ),
        (&["backup", "--output", "o", "--jobs", "0"], "invalid value for '--jobs <N>': it is not in 1..=1024"),
        (&["backup", "--output", "o", "--section", "x"], "[possible values: pre-data, data, post-data]"),
        (&["backpu"], "unrecognized subcommand\n\n  tip: a similar subcommand exists: 'backup'"),
    ] {
        let out = scene.lifeboat(arguments);
        assert_eq!(out.code(), 2, "{out}");
        assert!(out.stderr().contains(says), "does not say {says:?}: {out}");
    }
}

/// A file may have a name that looks like the beginning of a URL, and a report is read by programs.
#[test]
fn names_of_files_are_told_as_they_are() {
    let scene = Scene::new();
    scene.database("10:30@h.db", "delete", 1);
    let out = scene.run(&["backup", "--url", "sqlite:///10:30@h.db", "--output", "11:00@h.db", "--json"]);
    assert!(out.stdout().contains("/11:00@h.db\""), "{out}");
}
