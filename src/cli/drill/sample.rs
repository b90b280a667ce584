//! The sample database of a drill: a small bank in which every row follows from its number, so that what a restored
//! database must hold can be computed without looking at any other database.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Transaction, params};

const ACCOUNTS: i64 = 500;
const OPENING_BALANCE: i64 = 1_000_000;

const SCHEMA: &str = "
CREATE TABLE accounts(id INTEGER PRIMARY KEY, holder TEXT NOT NULL UNIQUE, balance INTEGER NOT NULL);
CREATE TABLE transfers(
    seq INTEGER PRIMARY KEY,
    debit INTEGER NOT NULL REFERENCES accounts(id),
    credit INTEGER NOT NULL REFERENCES accounts(id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    note TEXT
);
CREATE INDEX transfers_by_debit ON transfers(debit, credit);
CREATE TABLE documents(seq INTEGER PRIMARY KEY REFERENCES transfers(seq), title TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE settings(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE VIEW statements AS SELECT a.holder, t.* FROM accounts a JOIN transfers t ON a.id IN (t.debit, t.credit);
CREATE TRIGGER apply_transfer AFTER INSERT ON transfers BEGIN
    UPDATE accounts SET balance = balance - new.amount WHERE id = new.debit;
    UPDATE accounts SET balance = balance + new.amount WHERE id = new.credit;
END;
";

/// What transfer number `seq` is: everything about it follows from the number.
struct Transfer {
    seq: i64,
    debit: i64,
    credit: i64,
    amount: i64,
    note: Option<String>,
    title: String,
    body: Vec<u8>,
}

impl Transfer {
    fn new(seq: i64) -> Self {
        let mut noise = Noise(seq.unsigned_abs());
        let debit = noise.below(ACCOUNTS);
        let credit = (debit + 1 + noise.below(ACCOUNTS - 1)) % ACCOUNTS;
        let amount = 1 + noise.below(99);
        let note = (noise.below(4) > 0).then(|| format!("rent, electricity — №{seq} ✓"));
        let length = 200 + noise.below(2_000);
        let body = (0..length).map(|_| noise.next().to_le_bytes()[0]).collect();
        Self { seq, debit: debit + 1, credit: credit + 1, amount, note, title: format!("receipt {seq}"), body }
    }

    fn insert(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        transaction.prepare_cached("INSERT INTO transfers VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
            self.seq,
            self.debit,
            self.credit,
            self.amount,
            self.note
        ])?;
        transaction
            .prepare_cached("INSERT INTO documents VALUES (?1, ?2, ?3)")?
            .execute(params![self.seq, self.title, self.body])?;
        Ok(())
    }
}

/// Numbers that look random and are the same every time (SplitMix64).
pub(super) struct Noise(pub u64);

impl Noise {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: i64) -> i64 {
        i64::try_from(self.next() % limit.unsigned_abs().max(1)).unwrap_or(0)
    }
}

/// Makes the database with `transfers` transfers in it.
pub(super) fn create(path: &Path, transfers: i64) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    for id in 1..=ACCOUNTS {
        transaction.execute("INSERT INTO accounts VALUES (?1, ?2, ?3)", params![id, holder(id), OPENING_BALANCE])?;
    }
    transaction
        .execute("INSERT INTO settings VALUES ('currency', 'EUR'), ('nothing', NULL), ('pi', 3.141592653589793)", [])?;
    for seq in 1..=transfers {
        Transfer::new(seq).insert(&transaction)?;
    }
    transaction.commit()
}

fn holder(id: i64) -> String {
    format!("Zoë O'Hara № {id}")
}

/// Adds transfers, each in a transaction of its own, and calls `committed` after each, until that says to stop.
pub(super) fn write(path: &Path, mut committed: impl FnMut(i64) -> bool) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(60))?;
    connection.execute_batch("PRAGMA synchronous = NORMAL")?;
    let mut seq: i64 = connection.query_row("SELECT max(seq) FROM transfers", [], |row| row.get(0))?;
    loop {
        seq += 1;
        let transaction = connection.transaction()?;
        Transfer::new(seq).insert(&transaction)?;
        transaction.commit()?;
        if !committed(seq) {
            return Ok(());
        }
    }
}

/// What a proved database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proof {
    /// The number of the last transfer in it.
    pub last: i64,
    /// How many values were compared.
    pub values: u64,
}

/// Proves that the database holds the transfers from the first to some last one, none missing, none half, each with the
/// values that follow from its number, and the balances that follow from all of them. Gives what is wrong otherwise.
pub(super) fn prove(path: &Path) -> Result<Proof, String> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| e.to_string())?;
    check(&connection).unwrap_or_else(|e| Err(format!("SQLite says: {e}")))
}

fn check(connection: &Connection) -> rusqlite::Result<Result<Proof, String>> {
    let mut values = 0;
    let mut balances = vec![OPENING_BALANCE; usize::try_from(ACCOUNTS).unwrap_or(0)];
    let mut last = 0;
    let sql = "SELECT t.seq, t.debit, t.credit, t.amount, t.note, d.title, d.body
               FROM transfers t LEFT JOIN documents d ON d.seq = t.seq ORDER BY t.seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let expected = Transfer::new(last + 1);
        let same = row.get::<_, i64>(0)? == expected.seq
            && row.get::<_, i64>(1)? == expected.debit
            && row.get::<_, i64>(2)? == expected.credit
            && row.get::<_, i64>(3)? == expected.amount
            && row.get::<_, Option<String>>(4)? == expected.note
            && row.get::<_, Option<String>>(5)?.as_ref() == Some(&expected.title)
            && row.get::<_, Option<Vec<u8>>>(6)?.as_ref() == Some(&expected.body);
        if !same {
            return Ok(Err(format!("transfer {} is missing or not as it was written", expected.seq)));
        }
        for (account, change) in [(expected.debit, -expected.amount), (expected.credit, expected.amount)] {
            if let Some(balance) = usize::try_from(account - 1).ok().and_then(|at| balances.get_mut(at)) {
                *balance += change;
            }
        }
        last = expected.seq;
        values += 7;
    }
    let stray: i64 = connection.query_row("SELECT count(*) FROM documents WHERE seq > ?1", [last], |row| row.get(0))?;
    if stray != 0 {
        return Ok(Err(format!("{stray} documents have no transfer: half a transaction was restored")));
    }
    let mut statement = connection.prepare("SELECT holder, balance FROM accounts ORDER BY id")?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let expected: Vec<(String, i64)> = (1..=ACCOUNTS).map(holder).zip(balances).collect();
    if found != expected {
        return Ok(Err("the balances are not what the transfers come to".to_owned()));
    }
    values += 2 * found.len() as u64;
    let settings: i64 = connection.query_row("SELECT count(*) FROM settings", [], |row| row.get(0))?;
    let objects: i64 = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name IN ('statements', 'apply_transfer', 'transfers_by_debit')",
        [],
        |row| row.get(0),
    )?;
    if (settings, objects) != (3, 3) {
        return Ok(Err("settings, the view, the trigger or the index are missing".to_owned()));
    }
    Ok(Ok(Proof { last, values }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_proof_can_fail() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        create(&path, 50).unwrap();
        write(&path, |seq| seq < 60).unwrap();
        assert_eq!(prove(&path).unwrap().last, 60);
        for (wrong, repair) in [
            (
                "UPDATE accounts SET balance = balance + 1 WHERE id = 7",
                "UPDATE accounts SET balance = balance - 1 WHERE id = 7",
            ),
            (
                "UPDATE documents SET title = 'x' WHERE seq = 60",
                "UPDATE documents SET title = 'receipt 60' WHERE seq = 60",
            ),
            ("INSERT INTO documents VALUES (61, 'receipt 61', x'00')", "DELETE FROM documents WHERE seq = 61"),
            ("DROP VIEW statements", "CREATE VIEW statements AS SELECT 1"),
            ("DELETE FROM transfers WHERE seq = 30", "SELECT 1"),
        ] {
            let connection = Connection::open(&path).unwrap();
            connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
            connection.execute_batch(wrong).unwrap();
            prove(&path).unwrap_err();
            connection.execute_batch(repair).unwrap();
        }
    }
}
