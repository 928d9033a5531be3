//! Inserting many rows of every kind at once, in the way that is quickest on each database: several
//! rows to a statement over the wire to PostgreSQL; on SQLite one row at a time with one prepared
//! statement, because there a statement costs nothing to run, but something to read.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::activities::Activity;
use super::candidates::Candidate;
use super::clients::Client;
use super::connection::DbConn;
use super::contacts::Contact;
use super::debriefs::Debrief;
use super::deliveries::{self, Attempt, Delivery, Message};
use super::events::NewEvent;
use super::feedback::FeedbackRow;
use super::interviews::{InterviewRow, PanelRow};
use super::job_orders::JobOrder;
use super::names::NamePartRow;
use super::notes::{Note, NoteContactRow};
use super::points::PointRow;
use super::record::RefRow;
use super::retry_requests::RetryRequest;
use super::revisions::RevisionRow;
use super::schema as tables;

/// The most values in one statement. PostgreSQL takes 65,535 and SQLite 32,766, but beyond some
/// thousand a statement takes longer to read than it saves.
const VALUES: usize = 4_000;

/// Rows of every kind, in the order in which they can be written.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "each field is named after its table")]
pub struct Rows {
    pub clients: Vec<Client>,
    pub contacts: Vec<Contact>,
    pub job_orders: Vec<JobOrder>,
    pub candidates: Vec<Candidate>,
    pub interviews: Vec<InterviewRow>,
    pub interview_contacts: Vec<PanelRow>,
    pub external_refs: Vec<RefRow>,
    pub name_parts: Vec<NamePartRow>,
    pub debriefs: Vec<Debrief>,
    pub feedback: Vec<FeedbackRow>,
    pub feedback_revisions: Vec<RevisionRow>,
    pub points: Vec<PointRow>,
    pub activities: Vec<Activity>,
    pub retry_requests: Vec<RetryRequest>,
    pub notes: Vec<Note>,
    pub note_contacts: Vec<NoteContactRow>,
    pub deliveries: Vec<(Delivery, Message)>,
    pub delivery_attempts: Vec<Attempt>,
    pub events: Vec<NewEvent>,
}

/// Writes the rows of each table in its turn, so many values to a row.
macro_rules! write_each {
    ($rows:ident, $conn:ident: $($table:ident, $columns:literal;)+) => {$(
        match &mut *$conn {
            DbConn::Postgres(c) => {
                for chunk in $rows.$table.chunks(VALUES / $columns) {
                    diesel::insert_into(tables::$table::table).values(chunk).execute(c)?;
                }
            }
            DbConn::Sqlite(c) => {
                for row in &$rows.$table {
                    diesel::insert_into(tables::$table::table).values(row).execute(c)?;
                }
            }
        }
    )+};
}

impl Rows {
    /// Inserts all of them.
    pub fn insert(&mut self, conn: &mut DbConn) -> QueryResult<()> {
        // What lies together in the index is written together.
        self.name_parts.sort_unstable();
        write_each!(self, conn:
            clients, 9;
            contacts, 14;
            job_orders, 11;
            candidates, 12;
            interviews, 17;
            interview_contacts, 3;
            external_refs, 5;
            name_parts, 4;
            debriefs, 25;
            feedback, 20;
            feedback_revisions, 6;
            points, 14;
            activities, 12;
            retry_requests, 21;
            notes, 17;
            note_contacts, 4;
        );
        for chunk in self.deliveries.chunks(VALUES / 24) {
            deliveries::insert_all(conn, chunk)?;
        }
        write_each!(self, conn:
            delivery_attempts, 11;
            events, 9;
        );
        Ok(())
    }
}

/// Gets a connection ready for much to be inserted: SQLite keeps more pages in memory, 128 MB, and
/// copies them into the file less often, every 64 MB.
pub fn begin(conn: &mut DbConn) -> QueryResult<()> {
    match conn {
        DbConn::Sqlite(c) => {
            c.batch_execute("PRAGMA cache_size = -131072; PRAGMA wal_autocheckpoint = 16000")
        }
        DbConn::Postgres(_) => Ok(()),
    }
}

/// Takes [`begin`] back, and lets PostgreSQL look at what it holds, as it does by itself in time.
/// SQLite gets no statistics: with them it reads and plans a statement anew for every value that is
/// bound to it, which takes longer than the rows.
pub fn end(conn: &mut DbConn) -> QueryResult<()> {
    match conn {
        DbConn::Sqlite(c) => c.batch_execute("PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 1000"),
        DbConn::Postgres(c) => c.batch_execute("ANALYZE"),
    }
}
