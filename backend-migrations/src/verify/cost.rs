//! V201 and V202: what a statement does to those who use its table, by the server's own judgment.
//!
//! The server is asked by doing it: each statement that changes a table is sent with the clauses for the cheapest way,
//! then with those for the next, until one is not refused. A refusal (1845, 1846) comes before anything is touched, and says
//! why.

mod rewrite;

use std::collections::BTreeSet;

use crate::{
    directive::{Declaration, Directive},
    finding::{Code, CostClass, Finding, Severity, Spot, StatementCost},
    history::{Glance, History},
    migration::{Migration, Script, Statement},
    mysql::Inspector,
    schema::Flavour,
    session::{Reads, Record, Rollback, SessionError, TenantSession},
    sql::{
        self, TableChange,
        change::{Change, Clause, ClauseAt, IndexKind},
    },
};

/// `ER_ALTER_OPERATION_NOT_SUPPORTED` and `ER_ALTER_OPERATION_NOT_SUPPORTED_REASON`.
const REFUSED: [u16; 2] = [1845, 1846];
/// `ER_PARSE_ERROR`, `ER_WRONG_USAGE` and `ER_NOT_SUPPORTED_YET`: this way of asking is not understood, others may be.
const NOT_UNDERSTOOD: [u16; 3] = [1064, 1221, 1235];

/// How a statement may be carried out, cheapest first. `ALGORITHM=INSTANT` takes no `LOCK` on MySQL (error 1221).
const MYSQL_WAYS: [(&str, CostClass); 3] = [
    ("ALGORITHM=INSTANT", CostClass::Instant),
    ("ALGORITHM=INPLACE, LOCK=NONE", CostClass::InPlace),
    ("ALGORITHM=INPLACE, LOCK=SHARED", CostClass::InPlaceBlocking),
];
/// MariaDB has a word of its own for what leaves the rows where they are, and from 11.2 on copies while writes go on.
const MARIADB_WAYS: [(&str, CostClass); 6] = [
    ("ALGORITHM=INSTANT", CostClass::Instant),
    ("ALGORITHM=NOCOPY, LOCK=NONE", CostClass::InPlace),
    ("ALGORITHM=INPLACE, LOCK=NONE", CostClass::Rebuild),
    ("ALGORITHM=NOCOPY, LOCK=SHARED", CostClass::InPlaceBlocking),
    ("ALGORITHM=INPLACE, LOCK=SHARED", CostClass::InPlaceBlocking),
    ("ALGORITHM=COPY, LOCK=NONE", CostClass::Rebuild),
];

/// A session that finds the cheapest way for each statement that changes a table, while it is run.
///
/// Its database must have rows: that a server copies what it was asked not to copy shows by the rows alone.
#[derive(Debug)]
pub struct Probe<S> {
    session: S,
    inspector: Inspector,
    flavour: Flavour,
    statements: Vec<Statement>,
    n_executed: usize,
    /// Tables that this migration made, which nobody uses yet.
    new_tables: BTreeSet<String>,
    costs: Vec<StatementCost>,
}

impl<S: TenantSession> Probe<S> {
    /// Wraps `session`; `inspector` is another connection to the same database.
    pub fn new(session: S, inspector: Inspector, flavour: Flavour) -> Self {
        Self {
            session,
            inspector,
            flavour,
            statements: Vec::new(),
            n_executed: 0,
            new_tables: BTreeSet::new(),
            costs: Vec::new(),
        }
    }

    /// Says which script the next statements are those of.
    pub fn begin(&mut self, script: &Script) {
        self.statements.clone_from(&script.statements);
        self.n_executed = 0;
        self.new_tables.clear();
        self.costs.clear();
    }

    /// What it was made of.
    pub fn into_parts(self) -> (S, Inspector) {
        (self.session, self.inspector)
    }

    /// What the script's statements cost; those that change no table in use are left out. What is run then is not of that
    /// script.
    pub fn take_costs(&mut self) -> Vec<StatementCost> {
        self.statements.clear();
        std::mem::take(&mut self.costs)
    }

    /// Runs the change in the cheapest way there is.
    async fn probe(
        &mut self,
        change: &TableChange,
        statement: &str,
        moves: Moves,
    ) -> Result<(u64, Cost), SessionError> {
        let ways = match self.flavour {
            Flavour::MySql => &MYSQL_WAYS[..],
            Flavour::MariaDb => &MARIADB_WAYS[..],
        };
        if change.algorithm.is_some() || change.lock.is_some() {
            return self.as_asked(change, statement).await;
        }
        let mut reason = None;
        let mut before = None;
        for (clauses, class) in ways {
            if *class != CostClass::Instant && before.is_none() && moves == Moves::Perhaps {
                before = Some(self.inspector.storage_ids(self.flavour).await?);
            }
            match self.session.execute(&change.with(clauses)).await {
                Ok(n_rows) => {
                    let is_rebuilt = match &before {
                        Some(before) => !before.is_subset(&self.inspector.storage_ids(self.flavour).await?),
                        None => false,
                    };
                    let class = match class {
                        // MariaDB takes the clause for a change of partitions, and copies all the same.
                        _ if n_rows > 0 && moves != Moves::Partitions => CostClass::Copy,
                        CostClass::InPlace | CostClass::Rebuild if !is_rebuilt => CostClass::InPlace,
                        CostClass::InPlace => CostClass::Rebuild,
                        class => *class,
                    };
                    return Ok((n_rows, Cost { class, reason }));
                }
                Err(SessionError::Server { number, message, .. }) if REFUSED.contains(&number) => {
                    // A copy is refused only for the lock, which says nothing of why it must be a copy.
                    if !clauses.contains("COPY,") || clauses.contains("NOCOPY") {
                        reason = Some(why(&message));
                    }
                }
                Err(SessionError::Server { number, .. }) if NOT_UNDERSTOOD.contains(&number) => {}
                // The statement itself is wrong, which its own text shall show.
                Err(SessionError::Server { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        let n_rows = self.session.execute(statement).await?;
        // MariaDB takes no clause there, and moves no row.
        let class = if moves == Moves::Partitions { CostClass::InPlace } else { CostClass::Copy };
        Ok((n_rows, Cost { class, reason }))
    }

    /// Runs a change that says itself how it is to be carried out.
    async fn as_asked(&mut self, change: &TableChange, statement: &str) -> Result<(u64, Cost), SessionError> {
        let before = self.inspector.storage_ids(self.flavour).await?;
        let n_rows = self.session.execute(statement).await?;
        let is_rebuilt = !before.is_subset(&self.inspector.storage_ids(self.flavour).await?);
        let is_blocking = matches!(change.lock.as_deref(), Some("SHARED" | "EXCLUSIVE"));
        let class = match change.algorithm.as_deref() {
            _ if n_rows > 0 => CostClass::Copy,
            Some("COPY") if change.lock.as_deref() != Some("NONE") => CostClass::Copy,
            Some("INSTANT") => CostClass::Instant,
            _ if is_blocking => CostClass::InPlaceBlocking,
            _ if is_rebuilt => CostClass::Rebuild,
            _ => CostClass::InPlace,
        };
        Ok((n_rows, Cost { class, reason: None }))
    }
}

/// Whether a change writes a table's rows anew, as far as that need not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moves {
    /// An index that is neither unique nor of a special kind never does (MySQL 8.4 manual, "Online DDL Operations").
    Nothing,
    /// Whole partitions come or go and take their numbers with them; the rows of the others are left alone.
    Partitions,
    Perhaps,
}

impl Moves {
    fn by(clauses: &[ClauseAt]) -> Self {
        let is_of_partitions = |at: &ClauseAt| {
            matches!(
                at.clause,
                Clause::AddPartition | Clause::DropPartitions(_) | Clause::TruncatePartitions(_)
            )
        };
        let is_plain_index = |at: &ClauseAt| matches!(&at.clause, Clause::AddIndex { index, .. } if index.kind == IndexKind::Plain);
        if clauses.iter().any(is_of_partitions) {
            Self::Partitions
        } else if !clauses.is_empty() && clauses.iter().all(is_plain_index) {
            Self::Nothing
        } else {
            Self::Perhaps
        }
    }
}

struct Cost {
    class: CostClass,
    reason: Option<String>,
}

/// The reason in the server's words for a refusal, such as `ALGORITHM=INPLACE is not supported. Reason: Cannot change
/// column type INPLACE. Try ALGORITHM=COPY.`
fn why(message: &str) -> String {
    let reason = message.split_once("Reason: ").map_or(message, |(_, reason)| reason);
    reason.split(". Try ").next().unwrap_or(reason).trim_end_matches('.').to_owned()
}

impl<S: TenantSession> TenantSession for Probe<S> {
    async fn history(&mut self) -> Result<History, SessionError> {
        self.session.history().await
    }

    async fn glance(&mut self) -> Result<Glance, SessionError> {
        self.session.glance().await
    }

    async fn lock(&mut self, reads: Reads) -> Result<History, SessionError> {
        self.session.lock(reads).await
    }

    async fn renew(&mut self, reads: Reads) -> Result<History, SessionError> {
        self.session.renew(reads).await
    }

    async fn execute(&mut self, statement: &str) -> Result<u64, SessionError> {
        let at = self.n_executed;
        self.n_executed += 1;
        let Some(own) = self.statements.get(at).filter(|own| own.text == statement).cloned() else {
            return self.session.execute(statement).await;
        };
        let mut moves = Moves::Perhaps;
        match sql::read(&own).change {
            Change::CreateTable(table) => {
                self.new_tables.insert(table.name.name);
            }
            Change::AlterTable(table) => {
                moves = Moves::by(&table.clauses);
            }
            _ => {}
        }
        let change = TableChange::of(statement).filter(|change| !self.new_tables.contains(&change.table));
        let Some(change) = change else { return self.session.execute(statement).await };
        let (n_rows, Cost { class, reason }) = self.probe(&change, statement, moves).await?;
        self.costs.push(StatementCost { statement: at + 1, line: own.line, class, reason });
        Ok(n_rows)
    }

    async fn roll_back(&mut self) -> Result<Rollback, SessionError> {
        self.session.roll_back().await
    }

    async fn record(&mut self, record: Record<'_>) -> Result<(), SessionError> {
        self.session.record(record).await
    }

    async fn close(self) {
        self.inspector.close().await;
        self.session.close().await;
    }
}

/// The findings about what the statements of `migration`'s `up` cost. A migration that declares `blocks-writes` has none;
/// the word stands for a rebuild too, which keeps the disk and the replicas as busy.
pub fn findings(migration: &Migration, costs: &[StatementCost], declared: &[Declaration]) -> Vec<Finding> {
    let dear: Vec<_> = costs.iter().filter(|cost| cost.class >= CostClass::Rebuild).collect();
    let declaration = declared.iter().find(|declaration| declaration.directive == Directive::BlocksWrites);
    if let Some(declaration) = declaration {
        // Another server may need it.
        let needless = Finding {
            code: Code("V202"),
            severity: Severity::Note,
            version: Some(migration.version),
            at: Some(declaration.at.clone()),
            message:
                "`blocks-writes` is declared, and on this server nothing blocks writes or writes a table anew"
                    .into(),
            notes: Vec::new(),
            diff: None,
            hint: Some("remove the declaration, unless another server you use needs it".into()),
        };
        return if dear.is_empty() { vec![needless] } else { Vec::new() };
    }
    let findings = dear.into_iter().filter_map(|cost| {
        let statement = migration.up.statements.get(cost.statement - 1)?;
        let table = TableChange::of(&statement.text)?.table;
        let what = match cost.class {
            CostClass::Rebuild => "writes the whole table anew, while writes to it go on",
            CostClass::InPlaceBlocking => "blocks writes to it until it is over",
            _ => "copies the whole table, and blocks writes to it until that is over",
        };
        let spot = Spot {
            file_name: migration.up.file_name.clone(),
            line: statement.line,
            span: Some(statement.offset..statement.offset + statement.text.len()),
        };
        Some(Finding {
            code: Code("V202"),
            severity: Severity::Error,
            version: Some(migration.version),
            at: Some(spot),
            message: format!("this change of `{table}` {what}"),
            notes: cost.reason.iter().map(|reason| format!("the server says why: {reason}")).collect(),
            diff: None,
            hint: Some(format!(
                "{}; or, where the table is small or nobody writes, declare it: `-- migration: blocks-writes` and the reason",
                rewrite::rewrite(statement, cost.class)
            )),
        })
    });
    findings.collect()
}
