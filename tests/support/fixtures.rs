//! Databases of real applications.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use super::needs::{self, Needed};
use super::process::try_run;
use super::{Database, Server, cache};

/// The scripts that make Zabbix's database, in the order in which they are loaded.
pub struct Zabbix {
    pub scripts: [PathBuf; 3],
}

impl Zabbix {
    /// Gets them from Debian's package zabbix-server-pgsql.
    pub fn get() -> Needed<Zabbix> {
        needs::need("zabbix", Zabbix::unpacked())
    }

    fn unpacked() -> Result<Zabbix, String> {
        const NAMES: [&str; 3] = ["schema.sql", "images.sql", "data.sql"];
        let dir = cache::directory("zabbix-server-pgsql", |dir| {
            let work = tempfile::tempdir().map_err(|e| format!("cannot create a temporary directory: {e}"))?;
            try_run(Command::new("apt-get").args(["download", "zabbix-server-pgsql"]).current_dir(work.path()))?;
            let package = fs::read_dir(work.path())
                .ok()
                .and_then(|mut files| {
                    files.find_map(|f| f.ok().filter(|f| f.path().extension().is_some_and(|x| x == "deb")))
                })
                .ok_or("apt-get download left no package")?;
            let tree = work.path().join("tree");
            try_run(Command::new("dpkg-deb").arg("-x").arg(package.path()).arg(&tree))?;
            for name in NAMES {
                let packed = tree.join(format!("usr/share/zabbix-server-pgsql/{name}.gz"));
                let unpack = || -> io::Result<u64> {
                    let mut from = flate2::read::MultiGzDecoder::new(File::open(&packed)?);
                    io::copy(&mut from, &mut File::create(dir.join(name))?)
                };
                unpack().map_err(|e| format!("cannot unpack {}: {e}", packed.display()))?;
            }
            Ok(())
        })?;
        Ok(Zabbix { scripts: NAMES.map(|name| dir.join(name)) })
    }

    /// A database that they have made, on a server that tests share. Their 130,000 statements take half a minute, so they are run once, on
    /// the oldest server that has its own pg_dump; the others get their rows from there, and each makes copies of what it has.
    pub fn database(&self, server: &'static Server) -> Needed<Database<'static>> {
        static ORIGINALS: Mutex<BTreeMap<u32, Database<'static>>> = Mutex::new(BTreeMap::new());
        let oldest = Server::get(OLDEST_WITH_TOOLS)?;
        let mut originals = ORIGINALS.lock().unwrap();
        let archive = oldest.socket_dir().join("zabbix.dump");
        originals.entry(oldest.major()).or_insert_with(|| {
            let database = oldest.database("zabbix_original");
            self.scripts.iter().for_each(|script| _ = database.load_file(script));
            database.pg_dump(oldest.major(), &["-Z0"], &archive);
            database
        });
        let original = originals.entry(server.major()).or_insert_with(|| {
            let database = server.database("zabbix_original");
            // Servers before it know what the archive's settings say, too.
            let out = database.pg_restore(oldest.major(), &["--exit-on-error"], &archive);
            assert!(out.success(), "{out}");
            database
        });
        Ok(server.database_from("zabbix", original.name()))
    }
}

/// The oldest major whose own pg_dump there is.
const OLDEST_WITH_TOOLS: u32 = 14;
