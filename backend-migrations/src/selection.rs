//! Which tenants are meant: decided from the rows of the central database, without a connection.
//!
//! A tenant is named by its slug or its id. A name that stands for two tenants is an error, never a choice.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use crate::tenant::{SealedTarget, ServerId, SharedLabel, TenantRow, TenantStatus};

/// Which tenants are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Those with one of these statuses.
    Fleet {
        /// Only these slugs or ids; all where it is empty.
        only: Vec<String>,
        /// Without these slugs or ids.
        exclude: Vec<String>,
        /// A tenant with another status is left out, and is an error where `only` names it.
        statuses: Vec<TenantStatus>,
    },
    /// The one with this slug or id.
    One {
        /// Its slug or id.
        wanted: String,
        /// The statuses that it may have; `None` for any, whatever the table has there.
        statuses: Option<Vec<TenantStatus>>,
    },
}

/// The tenants that are meant.
#[derive(Clone, Debug)]
pub struct Selected {
    /// In the order of the rows they were selected from.
    pub targets: Vec<SealedTarget>,
    /// What they were selected by, and who was left out.
    pub coverage: Coverage,
}

/// Whom a run over the fleet is over, and whom not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The statuses that tenants were selected by; empty where they were not selected by status.
    pub statuses: Vec<TenantStatus>,
    /// How many tenants have another status, by status, in the order of a tenant's life; none where single tenants were
    /// named.
    pub by_status: Vec<(TenantStatus, usize)>,
    /// How many of those that have such a status `exclude` leaves out.
    pub n_excluded: usize,
}

/// Why no tenants can be selected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// No tenant has this slug or id.
    #[error("no tenant has the slug or id {wanted:?}")]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// The nearest slugs there are.
        nearest: Vec<String>,
    },
    /// More than one tenant has this slug or id.
    #[error("{wanted:?} names more than one tenant: {}", .tenants.iter().map(Named::to_string).collect::<Vec<_>>().join(" and "))]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// Those whom it names.
        tenants: Vec<Named>,
    },
    /// The tenant is there, and its status is another one.
    #[error("tenant {slug:?} is {status}, not {}", words(.statuses, "or"))]
    OtherStatus {
        /// Which tenant.
        slug: String,
        /// Its status.
        status: TenantStatus,
        /// Those that were asked for.
        statuses: Vec<TenantStatus>,
    },
    /// The table has a status that is none.
    #[error(
        "tenant {slug:?} has the status {status:?}, which is none of {}{}",
        words(&TenantStatus::ALL, "and"),
        match .n_others { 0 => String::new(), 1 => "; so it is with 1 other".to_owned(), n => format!("; so it is with {n} others") },
    )]
    UnknownStatus {
        /// Which tenant.
        slug: String,
        /// What the table has.
        status: String,
        /// How many other tenants have none either.
        n_others: usize,
    },
    /// Two rows name one database in the same words.
    #[error("tenants {:?} and {:?} have the same database: `{database}` on {server}", .slugs.0, .slugs.1)]
    SameDatabase {
        /// The two tenants.
        slugs: (String, String),
        /// The server.
        server: ServerId,
        /// The database.
        database: String,
    },
    /// No tenant is left to work on.
    #[error("no tenant is selected: {}", match .n_with_status {
        0 => format!("none of the tenants in the central database is {}", words(.statuses, "or")),
        n => format!("`--only` and `--exclude` leave none of the {n} {} tenants", words(.statuses, "or")),
    })]
    Empty {
        /// How many there would be without `only` and `exclude`.
        n_with_status: usize,
        /// The statuses that were asked for.
        statuses: Vec<TenantStatus>,
    },
}

/// A tenant by both its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its slug.
    pub slug: String,
    /// Its id.
    pub id: String,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the one with slug {:?} and id {:?}", self.slug, self.id)
    }
}

impl SelectionError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { nearest, .. } if nearest.is_empty() => {
                "`migrate:status` lists the active tenants".to_owned()
            }
            Self::Unknown { nearest, .. } => {
                let nearest: Vec<_> = nearest.iter().map(|slug| format!("{slug:?}")).collect();
                format!("did you mean {}?", nearest.join(" or "))
            }
            Self::Ambiguous { wanted, tenants } => {
                match tenants.iter().map(|one| one.other_than(wanted)).collect() {
                    Some::<Vec<_>>(names) => {
                        format!("name the one that is meant by {}", names.join(" or by "))
                    }
                    None => "give each tenant a slug and an id of its own in the table `tenants`".to_owned(),
                }
            }
            Self::OtherStatus { status: TenantStatus::Provisioning | TenantStatus::Failed, .. } => {
                "`tenant:provision` with the same slug goes on where it stopped".to_owned()
            }
            Self::OtherStatus { status, .. } => {
                format!(
                    "`--status {status}` works on it all the same; set its `status` to ACTIVE in the table `tenants` if it is in use again"
                )
            }
            Self::UnknownStatus { slug, .. } => {
                format!(
                    "correct `status` in the table `tenants`, or leave the tenant out with `--exclude {slug}`"
                )
            }
            Self::SameDatabase { slugs: (first, second), .. } => format!(
                "correct the row that is wrong in the table `tenants`; `--exclude {first}` or `--exclude {second}` works on the other alone"
            ),
            Self::Empty { n_with_status: 0, .. } => {
                "`tenant:provision` makes a tenant; what each one's `status` is the table `tenants` tells"
                    .to_owned()
            }
            Self::Empty { .. } => "`migrate:status` lists the active tenants".to_owned(),
        }
    }
}

impl Named {
    fn of(row: &TenantRow) -> Self {
        Self { slug: row.slug().to_owned(), id: row.id().to_owned() }
    }

    /// The name that is not `wanted`.
    fn other_than(&self, wanted: &str) -> Option<String> {
        match (self.slug == wanted, self.id == wanted) {
            (true, true) => None,
            (true, false) => Some(format!("its id {:?}", self.id)),
            (false, _) => Some(format!("its slug {:?}", self.slug)),
        }
    }
}

impl Coverage {
    /// How many were left out, and why, such as `6 SUSPENDED, 1 FAILED`; nothing where nobody was.
    pub fn left_out(&self) -> Option<String> {
        let by_status = self.by_status.iter().map(|(status, n)| format!("{n} {status}"));
        let excluded = (self.n_excluded > 0).then(|| format!("{} by `--exclude`", self.n_excluded));
        let all: Vec<_> = by_status.chain(excluded).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

/// `ACTIVE, SUSPENDED or FAILED`.
fn words(statuses: &[TenantStatus], last: &str) -> String {
    let words: Vec<_> = statuses.iter().map(TenantStatus::to_string).collect();
    match words.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, start)) => format!("{} {last} {end}", start.join(", ")),
        None => "of any status".to_owned(),
    }
}

/// The tenants that `selection` means, of `rows`.
///
/// For [`Selection::One`], `rows` may be those alone that have the slug or the id; where there is none, all of them are
/// needed for the names that look like it.
///
/// # Errors
///
/// Every variant of [`SelectionError`] but [`SelectionError::SameDatabase`]. A selection of none is an error, unless
/// there is no row at all: it never means "all".
pub fn select(rows: &[TenantRow], selection: &Selection) -> Result<Selected, SelectionError> {
    match selection {
        Selection::One { wanted, statuses } => {
            let row = find(rows, wanted)?;
            if let Some(statuses) = statuses {
                let status = known_status(row)?;
                if !statuses.contains(&status) {
                    let (slug, statuses) = (row.slug().to_owned(), statuses.clone());
                    return Err(SelectionError::OtherStatus { slug, status, statuses });
                }
            }
            Ok(Selected { targets: vec![row.target.clone()], coverage: Coverage::default() })
        }
        Selection::Fleet { only, exclude, statuses } => fleet(rows, only, exclude, statuses),
    }
}

fn fleet(
    rows: &[TenantRow],
    only: &[String],
    exclude: &[String],
    statuses: &[TenantStatus],
) -> Result<Selected, SelectionError> {
    let places = |names: &[String]| -> Result<HashSet<usize>, SelectionError> {
        names.iter().map(|name| find_place(rows, name)).collect()
    };
    let (named, excluded) = (places(only)?, places(exclude)?);
    let mut unknown = Vec::new();
    let (mut targets, mut coverage) =
        (Vec::new(), Coverage { statuses: statuses.to_vec(), ..Coverage::default() });
    let mut n_with_status = 0;
    let mut n_by_status: HashMap<TenantStatus, usize> = HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        let (is_meant, is_excluded) = (only.is_empty() || named.contains(&place), excluded.contains(&place));
        match TenantStatus::parse(&row.status) {
            Some(status) if statuses.contains(&status) => {
                n_with_status += 1;
                match (is_meant, is_excluded) {
                    (true, false) => targets.push(row.target.clone()),
                    (true, true) => coverage.n_excluded += 1,
                    (false, _) => {}
                }
            }
            Some(status) if !only.is_empty() && is_meant && !is_excluded => {
                let (slug, statuses) = (row.slug().to_owned(), statuses.to_vec());
                return Err(SelectionError::OtherStatus { slug, status, statuses });
            }
            Some(status) if only.is_empty() => *n_by_status.entry(status).or_default() += 1,
            None if is_meant && !is_excluded => unknown.push(row),
            Some(_) | None => {}
        }
    }
    if let Some((row, others)) = unknown.split_first() {
        let (slug, status) = (row.slug().to_owned(), row.status.clone());
        return Err(SelectionError::UnknownStatus { slug, status, n_others: others.len() });
    }
    // A service's first start has no tenant yet, and nothing to do. Anything else that comes to none is a selection that
    // means something other than its author thought.
    if targets.is_empty() && !rows.is_empty() {
        return Err(SelectionError::Empty { n_with_status, statuses: statuses.to_vec() });
    }
    let counted = |status| Some((status, *n_by_status.get(&status)?));
    coverage.by_status = TenantStatus::ALL.into_iter().filter_map(counted).collect();
    Ok(Selected { targets, coverage })
}

/// The one row with this slug or id.
///
/// # Errors
///
/// [`SelectionError::Unknown`] and [`SelectionError::Ambiguous`].
pub fn find<'r>(rows: &'r [TenantRow], wanted: &str) -> Result<&'r TenantRow, SelectionError> {
    find_place(rows, wanted).map(|place| &rows[place])
}

fn find_place(rows: &[TenantRow], wanted: &str) -> Result<usize, SelectionError> {
    let places: Vec<_> = (0..rows.len()).filter(|place| rows[*place].is_named(wanted)).collect();
    match places.as_slice() {
        [place] => Ok(*place),
        [] => Err(SelectionError::Unknown { wanted: wanted.to_owned(), nearest: nearest(wanted, rows) }),
        places => Err(SelectionError::Ambiguous {
            wanted: wanted.to_owned(),
            tenants: places.iter().map(|place| Named::of(&rows[*place])).collect(),
        }),
    }
}

fn known_status(row: &TenantRow) -> Result<TenantStatus, SelectionError> {
    TenantStatus::parse(&row.status).ok_or_else(|| SelectionError::UnknownStatus {
        slug: row.slug().to_owned(),
        status: row.status.clone(),
        n_others: 0,
    })
}

/// Whether each of `targets` names a database of its own.
///
/// # Errors
///
/// [`SelectionError::SameDatabase`] where two name one in the same words. That two name one in different words only the
/// server can tell: see [`doubtful`].
pub fn check_distinct(targets: &[SealedTarget]) -> Result<(), SelectionError> {
    let mut seen: HashMap<(String, u16, &str), &SharedLabel> = HashMap::new();
    for label in targets.iter().filter(|target| target.missing().is_none()).map(|target| &target.label) {
        let key = (label.server.host.to_ascii_lowercase(), label.server.port, label.database.as_str());
        if let Some(first) = seen.insert(key, label) {
            return Err(SelectionError::SameDatabase {
                slugs: (first.slug.clone(), label.slug.clone()),
                server: label.server.clone(),
                database: label.database.clone(),
            });
        }
    }
    Ok(())
}

/// Those of `targets` that may share a database with another one under another name of its server, since their databases
/// are called the same.
pub fn doubtful(targets: &[SealedTarget]) -> HashSet<SharedLabel> {
    let mut by_name: HashMap<String, Vec<&SharedLabel>> = HashMap::new();
    for SealedTarget { label, .. } in targets {
        by_name.entry(label.database.to_lowercase()).or_default().push(label);
    }
    by_name.into_values().filter(|labels| labels.len() > 1).flatten().cloned().collect()
}

/// At most three slugs that look like `wanted`, and about as much as the one that looks most like it: where all slugs
/// begin with the same word, all of them look a little alike.
fn nearest(wanted: &str, rows: &[TenantRow]) -> Vec<String> {
    const N_MOST: usize = 3;
    const LIKE: f64 = 0.8;
    const ABOUT_AS_MUCH: f64 = 0.05;
    let mut scored: Vec<_> = rows
        .iter()
        .map(TenantRow::slug)
        .map(|slug| (strsim::jaro_winkler(&wanted.to_lowercase(), &slug.to_lowercase()), slug))
        .filter(|(likeness, _)| *likeness > LIKE)
        .collect();
    scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let best = scored.first().map_or(0.0, |(likeness, _)| *likeness);
    let alike = scored.into_iter().filter(|(likeness, _)| *likeness > best - ABOUT_AS_MUCH);
    alike.take(N_MOST).map(|(_, slug)| slug.to_owned()).collect()
}
