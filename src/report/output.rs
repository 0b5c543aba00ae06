//! A stream that does not mind when its reader goes away, as with `dtsctl plan | head`.

use std::io::{self, ErrorKind, Write};

/// A stream of the program. After its reader has gone, whatever is written is dropped in silence; every other failure is reported.
pub struct Output {
    inner: Box<dyn Write + Send>,
    gone: bool,
}

impl Output {
    /// Wraps a stream.
    pub fn new(inner: impl Write + Send + 'static) -> Self {
        Self { inner: Box::new(inner), gone: false }
    }

    fn settle<T>(&mut self, result: io::Result<T>, otherwise: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(otherwise)
            }
            other => other,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gone {
            return Ok(bytes.len());
        }
        let written = self.inner.write(bytes);
        self.settle(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        let flushed = self.inner.flush();
        self.settle(flushed, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed(ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_reader_that_left_is_no_error_and_a_full_disk_is() {
        let mut output = Output::new(Closed(ErrorKind::BrokenPipe));
        assert!(writeln!(output, "more").is_ok());
        assert!(output.flush().is_ok());
        assert!(writeln!(Output::new(Closed(ErrorKind::StorageFull)), "more").is_err());
    }
}
