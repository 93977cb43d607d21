//! Whether the database has read its journals to their ends.
//!
//! It takes the first thing in a journal that it cannot read for a write that was cut short, and drops
//! what follows: right for the last write before a kill or a power failure, but damage would go
//! unnoticed. So the journals are read before it opens them. Where what it dropped holds the end of a
//! whole write, the journal is damaged; it is put back as it was, for whoever can mend it.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// What ends each write in a journal.
const WRITE_END: &[u8] = b"FJL\x03";

/// The journals of a store, as they were before it was opened.
pub(super) struct Journals(Vec<Journal>);

struct Journal {
    path: PathBuf,
    /// Without the zeros behind it: room that is reserved.
    bytes: Vec<u8>,
}

impl Journals {
    /// Reads the journals in a directory, which may not be there yet.
    pub(super) fn read(directory: &Path) -> io::Result<Self> {
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self(Vec::new())),
            entries => entries?,
        };
        let mut journals = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "jnl") {
                let mut bytes = fs::read(&path)?;
                bytes.truncate(end_of_data(&bytes));
                journals.push(Journal { path, bytes });
            }
        }
        Ok(Self(journals))
    }

    /// A journal of which the open database has dropped more than one unfinished write: its path, and
    /// from which byte on.
    pub(super) fn damaged(&self) -> Option<(&Path, usize)> {
        self.0.iter().find_map(|journal| {
            // One that is gone was written out in full.
            let kept = usize::try_from(fs::metadata(&journal.path).ok()?.len()).ok()?;
            let dropped = journal.bytes.get(kept..)?;
            let has_whole_write = dropped
                .windows(WRITE_END.len())
                .any(|window| window == WRITE_END);
            has_whole_write.then_some((&*journal.path, kept))
        })
    }

    /// Puts the journals back as they were; the database must be closed.
    pub(super) fn put_back(&self) -> io::Result<()> {
        self.0
            .iter()
            .try_for_each(|journal| fs::write(&journal.path, &journal.bytes))
    }
}

/// Where the zeros begin that stand at the end.
fn end_of_data(bytes: &[u8]) -> usize {
    const PAGE: [u8; 4096] = [0; 4096];
    let zeros = bytes.rchunks(PAGE.len());
    let pages = zeros
        .take_while(|page| **page == PAGE[..page.len()])
        .count();
    let bytes = &bytes[..bytes.len().saturating_sub(pages * PAGE.len())];
    bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |at| at + 1)
}
