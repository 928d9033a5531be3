//! Writes that a transaction keeps until its work is done.
//!
//! A round trip to PostgreSQL costs both sides more than most of the rows that it writes. So where
//! nothing in the transaction reads what is written, the writes are kept, and go out as one statement, each
//! a part of it (`WITH … RETURNING`). In SQLite a statement is a function call, and nothing is kept.

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt};

use super::prepared::MOST_ROWS;

/// Writes to different rows. All of them see the database as it was before; foreign keys are checked
/// when all are done.
#[derive(Default)]
pub struct Kept(Vec<Write>);

/// A write, and how many rows it must write.
struct Write {
    statement: Box<dyn QueryFragment<Pg>>,
    rows: usize,
}

impl Kept {
    /// Keeps one more write.
    pub fn add(&mut self, rows: usize, statement: impl QueryFragment<Pg> + 'static) {
        self.0.push(Write { statement: Box::new(statement), rows });
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Does what was kept. False if a write found other rows than it must.
    pub fn write(self, conn: &mut PgConnection) -> QueryResult<bool> {
        if self.is_empty() {
            return Ok(true);
        }
        let expected: Vec<_> = self.0.iter().map(|write| i64::try_from(write.rows).ok()).collect();
        let written: Vec<i64> = self.get_result(conn)?;
        Ok(written.into_iter().map(Some).eq(expected))
    }
}

impl QueryFragment<Pg> for Kept {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for (i, write) in self.0.iter().enumerate() {
            pass.push_sql(if i == 0 { "WITH " } else { ", " });
            pass.push_sql(&format!("write_{i} AS ("));
            write.statement.walk_ast(pass.reborrow())?;
            pass.push_sql(" RETURNING 1)");
        }
        let counts: Vec<String> =
            (0..self.0.len()).map(|i| format!("(SELECT count(*) FROM write_{i})")).collect();
        pass.push_sql(&format!(" SELECT ARRAY[{}]", counts.join(", ")));
        Ok(())
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(self.0.iter().map(|write| write.rows).sum::<usize>() <= MOST_ROWS)
    }
}

impl QueryId for Kept {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for Kept {
    type SqlType = Array<BigInt>;
}
impl RunQueryDsl<PgConnection> for Kept {}
