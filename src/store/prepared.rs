//! Statements that stay prepared on their connection although diesel would not keep them.
//!
//! Diesel keeps a statement only if its type alone, or its type and nothing of unbounded variety,
//! makes its text: every `UPDATE`, every `INSERT` of several rows, `IN` and literal SQL are read
//! and planned anew each time. On PostgreSQL the plan of a worklist costs more than its rows. Where
//! we know that a statement has a handful of texts, it is wrapped in [`Prepared`], and kept by its
//! text.

use diesel::backend::Backend;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::LoadQuery;
use diesel::sql_types::Integer;
use diesel::sqlite::SqliteConnection;

use super::connection::DbConn;

/// The most rows with which an `INSERT` is kept: each number of rows is a text of its own.
pub const MOST_ROWS: usize = 16;

/// A statement with few texts, all of which a connection may keep.
#[derive(Debug, Clone, Copy)]
pub struct Prepared<Q>(pub Q);

impl<Q: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}
impl<Q> RunQueryDsl<DbConn> for Prepared<Q> {}
impl<Q> RunQueryDsl<PgConnection> for Prepared<Q> {}
impl<Q> RunQueryDsl<SqliteConnection> for Prepared<Q> {}

/// Repeats the last of some values until their number is a power of two: `IN` with them then has
/// few texts, and means the same.
pub fn pad<T: Copy>(mut values: Vec<T>) -> Vec<T> {
    if let Some(last) = values.last().copied() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

/// One value of each row, for a statement that takes any number of rows as arrays.
pub fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

impl<Q> Prepared<Q> {
    /// Runs a statement that writes, and answers how many rows it wrote: they are counted as it returns
    /// them. Of a statement that is merely executed diesel has only a reference when it asks whether
    /// it may be kept, and never gets to our answer.
    pub fn execute<'q, C>(self, conn: &mut C) -> QueryResult<usize>
    where
        Wrote<Q>: LoadQuery<'q, C, i32> + RunQueryDsl<C>,
    {
        Wrote(self.0).load(conn).map(|rows: Vec<i32>| rows.len())
    }
}

/// A statement that writes, and returns a number for each row.
#[derive(Debug, Clone, Copy)]
pub struct Wrote<Q>(Q);

impl<Q: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Wrote<Q> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass.reborrow())?;
        pass.push_sql(" RETURNING 1");
        Ok(())
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for Wrote<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<Q> Query for Wrote<Q> {
    type SqlType = Integer;
}
impl<Q> RunQueryDsl<DbConn> for Wrote<Q> {}
impl<Q> RunQueryDsl<PgConnection> for Wrote<Q> {}
impl<Q> RunQueryDsl<SqliteConnection> for Wrote<Q> {}

/// Runs a query as one of the database that it is. The derived connection writes out the text of each
/// query two or three times whenever it runs, prepared or not, which costs more than many a statement
/// itself: so do it where much is read or written.
macro_rules! directly {
    ($conn:ident => $query:expr) => {{
        use $crate::store::connection::DbConn;
        match &mut *$conn {
            DbConn::Postgres($conn) => $query,
            DbConn::Sqlite($conn) => $query,
        }
    }};
}
pub(crate) use directly;

/// Inserts a slice of rows in one statement, which the derived connection cannot.
macro_rules! insert_rows {
    ($conn:expr, $table:expr, $rows:expr) => {{
        use $crate::store::connection::DbConn;
        use $crate::store::prepared::{MOST_ROWS, Prepared};
        let rows = $rows;
        let inserted = match &mut *$conn {
            DbConn::Postgres(c) if rows.len() <= MOST_ROWS => {
                Prepared(diesel::insert_into($table).values(rows)).execute(c)
            }
            DbConn::Postgres(c) => diesel::insert_into($table).values(rows).execute(c),
            DbConn::Sqlite(c) => diesel::insert_into($table).values(rows).execute(c),
        };
        inserted.map(drop)
    }};
}
pub(crate) use insert_rows;

#[cfg(test)]
mod tests {
    use super::pad;

    #[test]
    fn padding_adds_nothing_new() {
        assert!(pad(Vec::<i32>::new()).is_empty());
        assert_eq!(pad(vec![7]), vec![7]);
        assert_eq!(pad(vec![1, 2, 3, 4, 5]), vec![1, 2, 3, 4, 5, 5, 5, 5]);
    }
}
