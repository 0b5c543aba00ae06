//! Events that are held back until it is known whether they have happened: in memory, and in a file when there are many.
//!
//! A file has no name: it is removed as soon as it is open, so that nothing is left behind however the program ends.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use super::error::BinlogError;

/// An event as it came, or as it came out of a compressed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: u8,
    pub(super) seconds: u32,
    /// Where it begins; inside a compressed transaction, where that begins.
    pub(super) offset: u64,
    pub(super) body: Vec<u8>,
}

const HEAD: usize = 1 + 4 + 8 + 8;

/// Where what is held back goes when it outgrows memory.
#[derive(Debug, Clone)]
pub(super) struct Room {
    /// An existing folder.
    pub(super) folder: PathBuf,
    /// Bytes that may be held in memory, for each spool.
    pub(super) memory: usize,
}

/// Events in the order in which they came.
#[derive(Debug)]
pub(super) struct Spool {
    room: Room,
    memory: Vec<u8>,
    /// What was moved out of memory, and its length; it comes before what is in memory.
    file: Option<(File, u64)>,
}

impl Spool {
    pub(super) fn new(room: Room) -> Self {
        Self { room, memory: Vec::new(), file: None }
    }

    /// Bytes held so far; a mark to come back to.
    pub(super) fn len(&self) -> u64 {
        self.file.as_ref().map_or(0, |(_, len)| *len) + self.memory.len() as u64
    }

    /// Appends an event.
    pub(super) fn push(&mut self, kind: u8, seconds: u32, offset: u64, body: &[u8]) -> Result<(), BinlogError> {
        self.memory.push(kind);
        self.memory.extend_from_slice(&seconds.to_le_bytes());
        self.memory.extend_from_slice(&offset.to_le_bytes());
        self.memory.extend_from_slice(&(body.len() as u64).to_le_bytes());
        self.memory.extend_from_slice(body);
        if self.memory.len() > self.room.memory {
            self.spill().map_err(|e| failed(&self.room.folder, &e))?;
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some((nameless(&self.room.folder)?, 0));
        }
        if let Some((file, len)) = &mut self.file {
            file.seek(SeekFrom::Start(*len))?;
            file.write_all(&self.memory)?;
            *len += self.memory.len() as u64;
        }
        self.memory = Vec::new();
        Ok(())
    }

    /// Forgets all that came after the mark, a [`Spool::len`] of before.
    pub(super) fn truncate(&mut self, mark: u64) -> Result<(), BinlogError> {
        let in_file = self.file.as_ref().map_or(0, |(_, len)| *len);
        match &mut self.file {
            Some((file, len)) if mark < in_file => {
                self.memory.clear();
                *len = mark;
                file.set_len(mark).map_err(|e| failed(&self.room.folder, &e))
            }
            _ => {
                self.memory.truncate(usize::try_from(mark - in_file).unwrap_or(usize::MAX));
                Ok(())
            }
        }
    }

    /// From the beginning on.
    pub(super) fn into_reader(mut self) -> Result<SpoolReader, BinlogError> {
        if self.file.is_some() {
            self.spill().map_err(|e| failed(&self.room.folder, &e))?;
        }
        let file = match self.file {
            Some((mut file, len)) => {
                file.seek(SeekFrom::Start(0)).map_err(|e| failed(&self.room.folder, &e))?;
                Some(io::BufReader::with_capacity(256 << 10, file).take(len))
            }
            None => None,
        };
        Ok(SpoolReader { file, memory: io::Cursor::new(self.memory), folder: self.room.folder })
    }
}

/// Reads a spool once.
#[derive(Debug)]
pub(super) struct SpoolReader {
    file: Option<io::Take<io::BufReader<File>>>,
    memory: io::Cursor<Vec<u8>>,
    folder: PathBuf,
}

impl SpoolReader {
    /// The next event; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, BinlogError> {
        let read = match &mut self.file {
            Some(file) if file.limit() > 0 => entry(file),
            Some(_) => return Ok(None),
            None if (self.memory.position() as usize) < self.memory.get_ref().len() => entry(&mut self.memory),
            None => return Ok(None),
        };
        read.map(Some).map_err(|e| failed(&self.folder, &e))
    }
}

fn entry(from: &mut impl io::Read) -> io::Result<Entry> {
    let mut head = [0; HEAD];
    from.read_exact(&mut head)?;
    let number = |at: usize, len: usize| head[at..at + len].iter().rev().fold(0_u64, |n, b| n << 8 | u64::from(*b));
    #[expect(clippy::cast_possible_truncation, reason = "what was a usize, and four bytes")]
    let (len, seconds) = (number(13, 8) as usize, number(1, 4) as u32);
    let mut body = vec![0; len];
    from.read_exact(&mut body)?;
    Ok(Entry { kind: head[0], seconds, offset: number(5, 8), body })
}

fn nameless(folder: &Path) -> io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let path = folder.join(format!("held-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

fn failed(folder: &Path, error: &io::Error) -> BinlogError {
    BinlogError::Spill { folder: folder.display().to_string(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Room, Spool};

    fn filled(memory: usize, folder: &std::path::Path) -> (Spool, Vec<u64>, Vec<Entry>) {
        let mut spool = Spool::new(Room { folder: folder.to_owned(), memory });
        let (mut marks, mut entries) = (Vec::new(), Vec::new());
        for i in 0..50_u8 {
            marks.push(spool.len());
            let entry = Entry { kind: i, seconds: 7, offset: u64::from(i) << 33, body: vec![i; usize::from(i) * 3] };
            spool.push(entry.kind, entry.seconds, entry.offset, &entry.body).unwrap();
            entries.push(entry);
        }
        (spool, marks, entries)
    }

    fn all(spool: Spool) -> Vec<Entry> {
        let mut reader = spool.into_reader().unwrap();
        std::iter::from_fn(|| reader.next().unwrap()).collect()
    }

    #[test]
    fn what_went_in_comes_out_in_memory_and_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        for memory in [0, 100, 1000, 1 << 20] {
            let (spool, _, entries) = filled(memory, folder.path());
            assert_eq!(all(spool), entries, "{memory}");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a file was left");
        }
    }

    #[test]
    fn what_came_after_a_mark_can_be_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        for memory in [0, 100, 1000, 1 << 20] {
            for kept in [0, 1, 25, 49, 50] {
                let (mut spool, marks, mut entries) = filled(memory, folder.path());
                let mark = marks.get(kept).copied().unwrap_or(spool.len());
                spool.truncate(mark).unwrap();
                assert_eq!(spool.len(), mark);
                spool.push(99, 1, 2, b"after").unwrap();
                entries.truncate(kept);
                entries.push(Entry { kind: 99, seconds: 1, offset: 2, body: b"after".to_vec() });
                assert_eq!(all(spool), entries, "{memory} {kept}");
            }
        }
    }
}
