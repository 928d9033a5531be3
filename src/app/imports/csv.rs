//! CSV while it arrives: cut into records, whatever a piece ends in.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::upload::{BYTE_ORDER_MARK, ROW_BYTES, endless};
use crate::app::AppError;

/// The most cells that a row can have: many more than there are columns, so that one with a few too many is
/// told how many it has.
const ROW_CELLS: usize = 1024;

/// Is given each record, cell by cell, and whether it is the header.
pub(super) trait Take: FnMut(&[&[u8]], bool) -> Result<(), AppError> {}
impl<F: FnMut(&[&[u8]], bool) -> Result<(), AppError>> Take for F {}

/// A file of which a part has arrived.
pub(super) struct Csv {
    /// None until the delimiter is known.
    reader: Option<Reader>,
    /// What arrived before that.
    beginning: Vec<u8>,
    /// The cells of the record that is not whole yet, one after the other.
    record: Vec<u8>,
    filled: usize,
    /// Where each of them ends.
    ends: Vec<usize>,
    ended: usize,
    has_header: bool,
}

impl Default for Csv {
    fn default() -> Self {
        Self {
            reader: None,
            beginning: Vec::new(),
            record: vec![0; 4096],
            filled: 0,
            ends: vec![0; 64],
            ended: 0,
            has_header: false,
        }
    }
}

impl Csv {
    /// Takes in what has arrived.
    pub fn push(&mut self, bytes: &[u8], take: &mut impl Take) -> Result<(), AppError> {
        if let Some(reader) = self.reader.take() {
            return self.read(reader, bytes, take);
        }
        self.beginning.extend_from_slice(bytes);
        match delimiter(&self.beginning) {
            Some(delimiter) => self.begin(delimiter, take),
            None if self.beginning.len() > ROW_BYTES => Err(endless()),
            None => Ok(()),
        }
    }

    fn begin(&mut self, delimiter: u8, take: &mut impl Take) -> Result<(), AppError> {
        let beginning = std::mem::take(&mut self.beginning);
        let beginning = beginning.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&beginning);
        self.read(ReaderBuilder::new().delimiter(delimiter).build(), beginning, take)
    }

    fn read(&mut self, mut reader: Reader, mut bytes: &[u8], take: &mut impl Take) -> Result<(), AppError> {
        while !bytes.is_empty() {
            let read = self.step(&mut reader, bytes, take)?;
            bytes = &bytes[read.1..];
        }
        self.reader = Some(reader);
        Ok(())
    }

    /// Takes in that nothing more arrives.
    ///
    /// # Errors
    /// [`AppError::Invalid`] if there is no header, or the last row has no end.
    pub fn finish(&mut self, take: &mut impl Take) -> Result<(), AppError> {
        if self.reader.is_none() {
            self.begin(b',', take)?;
        }
        if let Some(reader) = self.reader.take() {
            // The end of a line ends a row, unless it stands within quotation marks.
            self.read(reader, b"\n", take)?;
            if self.filled > 0 || self.ended > 0 {
                let detail = "the file ends within quotation marks: one is missing, here or further up";
                return Err(AppError::fault("", "unclosed_quotation", detail));
            }
        }
        if let Some(mut reader) = self.reader.take() {
            while self.step(&mut reader, &[], take)?.0 != ReadRecordResult::End {}
        }
        if self.has_header { Ok(()) } else { Err(AppError::fault("", "no_header", "there is no header")) }
    }

    /// Feeds the reader, and says what came of it and how much it read.
    fn step(
        &mut self,
        reader: &mut Reader,
        bytes: &[u8],
        take: &mut impl Take,
    ) -> Result<(ReadRecordResult, usize), AppError> {
        use ReadRecordResult::{End, InputEmpty, OutputEndsFull, OutputFull, Record};
        let (record, ends) = (&mut self.record[self.filled..], &mut self.ends[self.ended..]);
        let (result, read, written, ended) = reader.read_record(bytes, record, ends);
        self.filled += written;
        self.ended += ended;
        match result {
            InputEmpty | End => {}
            OutputFull if self.record.len() >= ROW_BYTES => return Err(endless()),
            OutputFull => self.record.resize(self.record.len() * 2, 0),
            // Empty cells need no room in the record, so it is their number that has an end.
            OutputEndsFull if self.ends.len() >= ROW_CELLS => return Err(endless()),
            OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            Record => {
                let mut start = 0;
                let cell = |end: &usize| &self.record[std::mem::replace(&mut start, *end)..*end];
                let cells: Vec<&[u8]> = self.ends[..self.ended].iter().map(cell).collect();
                take(&cells, !std::mem::replace(&mut self.has_header, true))?;
                (self.filled, self.ended) = (0, 0);
            }
        }
        Ok((result, read))
    }
}

/// What stands between the cells: the first of comma, semicolon and tab in the header, as spreadsheets
/// write them in different countries. None if the header is not there yet.
fn delimiter(beginning: &[u8]) -> Option<u8> {
    let first = beginning.iter().find(|byte| matches!(byte, b',' | b';' | b'\t' | b'\n' | b'\r'))?;
    Some(if matches!(first, b'\n' | b'\r') { b',' } else { *first })
}
