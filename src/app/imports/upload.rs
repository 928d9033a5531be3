//! A file while it arrives: cut into rows piece by piece, so that it is never in memory whole.

use serde::Serialize;
use serde_json::Value;

use super::csv::Csv;
use crate::app::AppError;
use crate::app::error::checked;
use crate::app::exchange::Layout;
use crate::app::faults::Faults;
use crate::app::schema;
use crate::domain::exchange::{Collection, FileFormat};

/// The most rows in a chunk, which is worked off in one transaction.
const CHUNK_ROWS: usize = 100;
/// The size from which on a chunk takes no more rows, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;
/// The most columns; no kind of record has so many.
const MAX_COLUMNS: usize = 100;
/// The longest row, in bytes.
pub(super) const ROW_BYTES: usize = 1024 * 1024;

/// What some programs write before UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A file while it arrives.
pub struct Upload {
    kind: Collection,
    has_external_system: bool,
    splitter: Splitter,
    columns: Vec<String>,
    rows: i64,
    /// Chunks that are full, each with the number of its first row.
    full: Vec<(i64, String)>,
    chunk: String,
    chunk_rows: usize,
}

/// Cuts a file into rows.
enum Splitter {
    Csv(Box<Csv>),
    /// The line that is not whole yet.
    Ndjson(Vec<u8>),
}

impl Upload {
    /// A file of which nothing has arrived yet.
    #[must_use]
    pub fn new(format: FileFormat, kind: Collection, has_external_system: bool) -> Self {
        let splitter = match format {
            FileFormat::Csv => Splitter::Csv(Box::default()),
            FileFormat::Ndjson => Splitter::Ndjson(Vec::new()),
        };
        Self {
            kind,
            has_external_system,
            splitter,
            columns: Vec::new(),
            rows: 0,
            full: Vec::new(),
            chunk: String::new(),
            chunk_rows: 0,
        }
    }

    /// How it is written.
    #[must_use]
    pub const fn format(&self) -> FileFormat {
        match self.splitter {
            Splitter::Csv(_) => FileFormat::Csv,
            Splitter::Ndjson(_) => FileFormat::Ndjson,
        }
    }

    /// The header of a CSV file.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many rows have arrived.
    #[must_use]
    pub const fn rows(&self) -> i64 {
        self.rows
    }

    /// How many bytes wait to be [taken](Self::take).
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.full.iter().map(|(_, chunk)| chunk.len()).sum()
    }

    /// Takes the chunks that are full, each with the number of its first row.
    pub fn take(&mut self) -> Vec<(i64, String)> {
        std::mem::take(&mut self.full)
    }

    /// Takes in what has arrived.
    ///
    /// # Errors
    /// [`AppError::Invalid`] if the header is not one, or a row has no end.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), AppError> {
        let mut splitter = std::mem::replace(&mut self.splitter, Splitter::none());
        let pushed = match &mut splitter {
            Splitter::Csv(csv) => csv.push(bytes, &mut |cells, is_header| self.take_record(cells, is_header)),
            Splitter::Ndjson(line) => self.push_lines(line, bytes),
        };
        self.splitter = splitter;
        pushed
    }

    /// Takes in that nothing more arrives.
    ///
    /// # Errors
    /// Those of [`push`](Self::push), and that a CSV file has no header.
    pub fn finish(&mut self) -> Result<(), AppError> {
        let mut splitter = std::mem::replace(&mut self.splitter, Splitter::none());
        let finished = match &mut splitter {
            Splitter::Csv(csv) => csv.finish(&mut |cells, is_header| self.take_record(cells, is_header)),
            Splitter::Ndjson(line) => self.take_line(line),
        };
        self.splitter = splitter;
        self.end_chunk();
        finished
    }

    fn push_lines(&mut self, line: &mut Vec<u8>, mut bytes: &[u8]) -> Result<(), AppError> {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            line.extend_from_slice(&bytes[..end]);
            self.take_line(line)?;
            line.clear();
            bytes = &bytes[end + 1..];
        }
        line.extend_from_slice(bytes);
        if line.len() > ROW_BYTES { Err(endless()) } else { Ok(()) }
    }

    fn take_record(&mut self, cells: &[&[u8]], is_header: bool) -> Result<(), AppError> {
        if is_header {
            return self.take_header(cells);
        }
        let cells: Result<Vec<&str>, _> = cells.iter().map(|cell| std::str::from_utf8(cell)).collect();
        match cells {
            Ok(cells) => self.add(&cells),
            Err(_) => self.add("is not UTF-8"),
        }
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), AppError> {
        let mark = if self.rows == 0 { BYTE_ORDER_MARK } else { b"" };
        let line = line.strip_prefix(mark).unwrap_or(line);
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        match schema::parse(line) {
            Ok(object @ Value::Object(_)) => self.add(&object),
            Ok(_) => self.add("is not a JSON object"),
            Err(error) => self.add(&error.to_string()),
        }
    }

    /// Adds a row: cells, an object, or a text that says why it could not be read.
    fn add<R: Serialize + ?Sized>(&mut self, row: &R) -> Result<(), AppError> {
        let line = serde_json::to_string(row).map_err(|e| AppError::Internal(e.to_string()))?;
        self.chunk.push_str(&line);
        self.chunk.push('\n');
        self.chunk_rows += 1;
        self.rows += 1;
        if self.chunk_rows == CHUNK_ROWS || self.chunk.len() >= CHUNK_BYTES {
            self.end_chunk();
        }
        Ok(())
    }

    fn end_chunk(&mut self) {
        if self.chunk_rows > 0 {
            let first_row = self.rows + 1 - i64::try_from(self.chunk_rows).unwrap_or_default();
            self.full.push((first_row, std::mem::take(&mut self.chunk)));
            self.chunk_rows = 0;
        }
    }

    /// Reads the header, and names every column that it cannot have.
    fn take_header(&mut self, cells: &[&[u8]]) -> Result<(), AppError> {
        if cells.len() > MAX_COLUMNS {
            let detail = format!("a header has at most {MAX_COLUMNS} columns");
            return Err(AppError::fault("", "too_many", detail));
        }
        let layout = Layout::of(self.kind);
        let mut faults = Faults::default();
        for cell in cells {
            let column = String::from_utf8_lossy(cell).trim().to_owned();
            let pointer = format!("/{}", schema::escape(&column));
            if !layout.has(&column) {
                let columns = layout.columns().collect::<Vec<_>>().join(", ");
                faults.add(pointer, "unknown_column", format!("the columns of {} are {columns}", self.kind));
            } else if self.columns.contains(&column) {
                faults.add(pointer, "repeated", "stands more than once");
            } else if layout.is_external(&column) && !self.has_external_system {
                let detail = "say with the parameter external_system whose ids these are";
                faults.add(pointer, "external_system_missing", detail);
            }
            self.columns.push(column);
        }
        checked(faults)
    }
}

impl Splitter {
    /// Stands in while the splitter is at work.
    const fn none() -> Self {
        Self::Ndjson(Vec::new())
    }
}

/// What is wrong with a row that does not end.
pub(super) fn endless() -> AppError {
    let detail = format!(
        "a row is longer than {ROW_BYTES} bytes, or has cells without end; perhaps a quotation mark is missing"
    );
    AppError::fault("", "row_too_long", detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(format: FileFormat, pieces: &[&[u8]]) -> Result<(Vec<String>, Vec<String>), AppError> {
        let mut upload = Upload::new(format, Collection::Candidates, true);
        for piece in pieces {
            upload.push(piece)?;
        }
        upload.finish()?;
        let lines = upload
            .take()
            .into_iter()
            .flat_map(|(_, chunk)| chunk.lines().map(str::to_owned).collect::<Vec<_>>());
        let lines: Vec<String> = lines.collect();
        assert_eq!(upload.rows(), i64::try_from(lines.len()).unwrap());
        Ok((upload.columns().to_vec(), lines))
    }

    fn faults(result: Result<(Vec<String>, Vec<String>), AppError>) -> Vec<String> {
        let Err(AppError::Invalid(faults)) = result else { unreachable!("it was taken") };
        faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect()
    }

    #[test]
    fn spreadsheets_of_every_country_are_read() {
        for text in
            ["\u{feff}name;phone\r\nAda;\"1;2\"\r\n", "name\tphone\nAda\t1;2", "name,phone\n\nAda,1;2\n"]
        {
            let (columns, lines) = read(FileFormat::Csv, &[text.as_bytes()]).unwrap();
            assert_eq!(columns, ["name", "phone"]);
            assert_eq!(lines, [r#"["Ada","1;2"]"#], "{text:?}");
        }
        assert_eq!(read(FileFormat::Csv, &[b"name\nAda\nBen"]).unwrap().1, [r#"["Ada"]"#, r#"["Ben"]"#]);
        assert_eq!(read(FileFormat::Csv, &[b"name"]).unwrap().1, Vec::<String>::new());
    }

    #[test]
    fn a_header_that_cannot_be_is_refused() {
        assert_eq!(
            faults(read(FileFormat::Csv, &[b"name,shoe_size,name\n"])),
            ["/shoe_size unknown_column", "/name repeated"]
        );
        let wide = "name,".repeat(MAX_COLUMNS + 1);
        assert_eq!(faults(read(FileFormat::Csv, &[wide.as_bytes()])), [" too_many"]);
        assert_eq!(faults(read(FileFormat::Csv, &[b""])), [" no_header"]);
        for cut in ["name\n\"Ada", "name,phone\nAda,\"oops\nBen,1\n", "name\nAda\n\""] {
            assert_eq!(faults(read(FileFormat::Csv, &[cut.as_bytes()])), [" unclosed_quotation"], "{cut:?}");
        }
        let endless = vec![b'x'; ROW_BYTES + 1];
        assert_eq!(faults(read(FileFormat::Csv, &[b"name\n\"", &endless])), [" row_too_long"]);
        assert_eq!(faults(read(FileFormat::Ndjson, &[&endless])), [" row_too_long"]);
        let empty = vec![b','; 2 * ROW_BYTES];
        assert_eq!(faults(read(FileFormat::Csv, &[&empty])), [" row_too_long"]);
        assert_eq!(faults(read(FileFormat::Csv, &[b"name\n", &empty])), [" row_too_long"]);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_a_row_of_its_own() {
        let (_, lines) = read(FileFormat::Ndjson, &[b"{\"name\": \"Ada\"}\n\n[1]\n{"]).unwrap();
        assert_eq!(lines[..2], [r#"{"name":"Ada"}"#, r#""is not a JSON object""#]);
        assert!(lines[2].starts_with("\"EOF"), "{}", lines[2]);
        assert_eq!(read(FileFormat::Csv, &[b"name\n\xff\n"]).unwrap().1, [r#""is not UTF-8""#]);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_a_piece_ends(
            rows in prop::collection::vec((".{0,6}", "[,;\"\n\r x]{0,6}"), 1..120), cut in 1_usize..40,
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["name", "phone"]).unwrap();
            for (name, phone) in &rows {
                writer.write_record([name, phone]).unwrap();
            }
            let text = writer.into_inner().unwrap();
            let pieces: Vec<&[u8]> = text.chunks(cut).collect();
            let expected: Vec<String> = rows.iter().map(|(n, p)| serde_json::to_string(&[n, p]).unwrap()).collect();
            prop_assert_eq!(read(FileFormat::Csv, &pieces).unwrap().1, expected);
        }
    }
}
