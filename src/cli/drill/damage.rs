//! The disaster of a drill.

use std::fs::OpenOptions;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;

use super::sample::Noise;

/// How a file was damaged.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Damage {
    /// With noise.
    pub pages_overwritten: u64,
    pub bytes_cut_off: u64,
}

/// Overwrites every seventh page of the file with noise, the first one with its header spared so that the file still
/// looks like a database, and cuts off its last third.
pub(super) fn damage(path: &Path, page_size: u32) -> io::Result<Damage> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len();
    let page_size = u64::from(page_size.max(512));
    let keep = length / 3 * 2 / page_size * page_size;
    let mut noise = Noise(length);
    let mut pages = 0;
    for page in (1..keep / page_size).step_by(7) {
        let bytes: Vec<u8> = (0..page_size / 8).flat_map(|_| noise.next().to_le_bytes()).collect();
        file.seek(SeekFrom::Start(page * page_size))?;
        file.write_all(&bytes)?;
        pages += 1;
    }
    file.set_len(keep)?;
    file.sync_all()?;
    Ok(Damage { pages_overwritten: pages, bytes_cut_off: length - keep })
}
