//! Where in the binlog the next event begins.

use super::{Assembler, Header};
use crate::{
    binlog::{error::BinlogError, event::kind, item::Item, mark::Mark, position::Place},
    connect::Vendor,
};

impl Assembler {
    /// Moves on by an event and says where it begins.
    ///
    /// Only the lower 32 bits of where it ends are in the header, so its size is added up; the two must agree, or something in between
    /// is missing. Between transactions the server may leave some out that were not asked for, and MariaDB leaves out the client's
    /// statements (ANNOTATE_ROWS) unless asked for them by a flag that the crate cannot set.
    pub(super) fn follow(&mut self, header: Header) -> Result<u64, BinlogError> {
        let begin = self.place.offset;
        if header.is_made_up() || matches!(header.kind, kind::HEARTBEAT | kind::HEARTBEAT_V2) {
            return Ok(begin);
        }
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        let step = header.end.wrapping_sub(begin as u32);
        let Some(gap) = step.checked_sub(header.size) else {
            return Err(self.damaged(begin, &format!("an event of {} bytes ends {step} bytes further", header.size)));
        };
        if gap > 0 && self.group.is_some() && (self.vendor == Vendor::MySql || gap > 1 << 30) {
            return Err(self.damaged(begin, &format!("{gap} bytes are missing in a transaction")));
        }
        self.place.offset = begin + u64::from(step);
        Ok(begin + u64::from(gap))
    }

    /// Goes over to another file, or to where in it the server begins.
    pub(super) fn rotate(&mut self, file: String, offset: u64, made_up: bool) {
        let moved = self.place.file != file;
        if moved {
            // A source that crashed may leave half a transaction at the end of a file; it has not happened.
            self.abandon();
            self.maps.clear();
            self.skip_to = None;
        }
        if !made_up || moved {
            self.place = Place { file, offset };
            self.mark = self.mark.filter(|_| !moved);
            // Where the server goes on is said with the next event or heartbeat; in a new file when something has been seen of it, lest a
            // position be kept that nothing could be held against.
            self.unsaid = true;
            self.turned |= !made_up;
        } else if self.skip_to.is_none() {
            self.place.offset = offset;
        } else {
            self.place.offset = 4;
        }
    }

    /// The file's format description has come: made up from the file's own, or the first event of it, it bears the time of its beginning.
    pub(super) fn described(&mut self, seconds: u32) -> Result<(), BinlogError> {
        match &self.mark {
            Some(mark) => mark.must_have_begun(&self.place.file, seconds)?,
            None => {
                self.mark = Mark::begun(seconds);
                // A position that was kept without is kept again with it, also where nothing comes after it.
                self.unsaid = true;
            }
        }
        if std::mem::take(&mut self.turned) {
            self.moved();
        }
        Ok(())
    }

    /// A heartbeat says how far the server has come, which after a beginning by GTID is further than any event.
    pub(super) fn alive(&mut self, header: Header) {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        let step = header.end.wrapping_sub(self.place.offset as u32);
        if self.group.is_none() && header.end > 0 && step > 0 && step < 1 << 31 {
            self.place.offset += u64::from(step);
            self.unsaid = true;
        }
        if self.unsaid && self.group.is_none() { self.moved() } else { self.out.push_back(Item::Heartbeat) }
    }

    /// Says where we are.
    fn moved(&mut self) {
        self.unsaid = false;
        let item = if self.is_ahead() { Item::Moved(self.position()) } else { Item::Heartbeat };
        self.out.push_back(item);
    }

    /// What is handed on now has not been applied before.
    fn is_ahead(&self) -> bool {
        match &self.applied {
            Some(applied) => self.position().covers(applied) == Some(true),
            None => true,
        }
    }
}
