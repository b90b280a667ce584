//! Databases of real applications.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::Command;

use super::needs::{self, Needed};
use super::process::try_run;
use super::{Database, cache};

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

    /// Loads them into an empty database.
    pub fn load(&self, database: &Database<'_>) {
        for script in &self.scripts {
            database.load_file(script);
        }
    }
}
