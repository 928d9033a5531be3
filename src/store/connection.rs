//! One connection type for both databases, and the few things that the derived one lacks.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, ValidGrouping, is_aggregate};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Bool;
use diesel::sqlite::{Sqlite, SqliteConnection};

/// A connection to either database; every query of the store runs on it.
#[derive(diesel::MultiConnection)]
pub enum DbConn {
    /// PostgreSQL.
    Postgres(PgConnection),
    /// The embedded SQLite.
    Sqlite(SqliteConnection),
}

/// A query that is valid on each backend on its own, and so on the connection that is either:
/// for `ON CONFLICT`, which the derived backend does not know.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct Both<Q>(pub Q);

impl<Q> QueryFragment<MultiBackend> for Both<Q>
where
    Q: QueryFragment<Pg> + QueryFragment<Sqlite>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        MultiBackend::walk_variant_ast(&self.0, pass)
    }
}
impl<Q: Query> Query for Both<Q> {
    type SqlType = Q::SqlType;
}
impl<Q> RunQueryDsl<DbConn> for Both<Q> {}

/// A selection whose rows stay locked until the transaction ends. SQLite has one writer at a time,
/// so there is nothing to add there.
#[derive(Debug, Clone, Copy)]
pub struct Locked<Q>(pub Q, pub Lock);

/// What a [`Locked`] selection does to its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Takes them, and waits for whoever holds one.
    Wait,
    /// Takes them, but leaves out those that somebody holds.
    SkipLocked,
    /// The same with the rows of these tables alone; the others are only read.
    SkipLockedOf(&'static str),
    /// Takes them, waits too, and lets others refer to them meanwhile.
    Change,
    /// Lets others read and refer to them, but not take them.
    Pin,
}

impl Lock {
    fn walk<DB: Backend>(self, mut pass: AstPass<'_, '_, DB>) {
        match self {
            Self::Wait => pass.push_sql(" FOR UPDATE"),
            Self::SkipLocked => pass.push_sql(" FOR UPDATE SKIP LOCKED"),
            Self::SkipLockedOf(tables) => {
                pass.push_sql(" FOR UPDATE OF ");
                pass.push_sql(tables);
                pass.push_sql(" SKIP LOCKED");
            }
            Self::Change => pass.push_sql(" FOR NO KEY UPDATE"),
            Self::Pin => pass.push_sql(" FOR KEY SHARE"),
        }
    }
}

impl<Q: QueryFragment<MultiBackend>> QueryFragment<MultiBackend> for Locked<Q> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        self.0.walk_ast(pass.reborrow())?;
        if matches!(pass.backend(), MultiBackend::Postgres(_)) {
            self.1.walk(pass);
        }
        Ok(())
    }
}
impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Locked<Q> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(pass.reborrow())?;
        self.1.walk(pass);
        Ok(())
    }
}
impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Locked<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }
}
/// The kind of lock is not part of the type, so prepared statements are told apart by their text.
impl<Q> QueryId for Locked<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<Q: Query> Query for Locked<Q> {
    type SqlType = Q::SqlType;
}
impl<Q> RunQueryDsl<DbConn> for Locked<Q> {}
impl<Q> RunQueryDsl<PgConnection> for Locked<Q> {}
impl<Q> RunQueryDsl<SqliteConnection> for Locked<Q> {}

/// Whether a column is among what a boxed query selects, which `eq_any` takes for one backend only.
#[derive(Debug, Clone)]
pub struct Among<C, Q>(pub C, pub Q);

impl<C, Q> QueryFragment<MultiBackend> for Among<C, Q>
where
    C: QueryFragment<MultiBackend>,
    Q: QueryFragment<MultiBackend>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        self.0.walk_ast(pass.reborrow())?;
        pass.push_sql(" IN (");
        self.1.walk_ast(pass.reborrow())?;
        pass.push_sql(")");
        Ok(())
    }
}
impl<C, Q> QueryId for Among<C, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<C: Expression, Q: Query<SqlType = C::SqlType>> Expression for Among<C, Q> {
    type SqlType = Bool;
}
impl<T, C: AppearsOnTable<T>, Q> AppearsOnTable<T> for Among<C, Q> where Self: Expression {}
impl<C, Q> ValidGrouping<()> for Among<C, Q> {
    type IsAggregate = is_aggregate::No;
}

/// The later of a column and a value: for a time that must not run backwards, written without
/// reading it first.
#[derive(Debug, Clone, Copy)]
pub struct Later<C, V>(pub C, pub V);

impl<C, V> QueryFragment<MultiBackend> for Later<C, V>
where
    C: QueryFragment<MultiBackend>,
    V: QueryFragment<MultiBackend>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        pass.push_sql(if matches!(pass.backend(), MultiBackend::Postgres(_)) { "greatest(" } else { "max(" });
        self.0.walk_ast(pass.reborrow())?;
        pass.push_sql(", ");
        self.1.walk_ast(pass.reborrow())?;
        pass.push_sql(")");
        Ok(())
    }
}
impl<C, V> QueryId for Later<C, V> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<C: Expression, V: Expression<SqlType = C::SqlType>> Expression for Later<C, V> {
    type SqlType = C::SqlType;
}
impl<T, C: AppearsOnTable<T>, V: AppearsOnTable<T>> AppearsOnTable<T> for Later<C, V> where Self: Expression {}

/// A column that rows are checked by and not found by. SQLite, without statistics, takes every index
/// that begins with the agency for as good as one of a single debrief; a unary plus keeps the column
/// out of its choice. PostgreSQL knows how many rows each leaves.
#[derive(Debug, Clone, Copy)]
pub struct NotFoundBy<C>(pub C);

impl<C: QueryFragment<MultiBackend>> QueryFragment<MultiBackend> for NotFoundBy<C> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        if matches!(pass.backend(), MultiBackend::Sqlite(_)) {
            pass.push_sql("+");
        }
        self.0.walk_ast(pass)
    }
}
impl<C> QueryId for NotFoundBy<C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<C: Expression> Expression for NotFoundBy<C> {
    type SqlType = C::SqlType;
}
impl<T, C: AppearsOnTable<T>> AppearsOnTable<T> for NotFoundBy<C> {}
impl<C: ValidGrouping<()>> ValidGrouping<()> for NotFoundBy<C> {
    type IsAggregate = C::IsAggregate;
}

/// The columns of a `Selectable` for `RETURNING`, where `as_returning()` is not valid on either.
#[must_use]
pub fn columns<T: Selectable<MultiBackend>>() -> T::SelectExpression {
    T::construct_selection()
}
