//! A central database and five tenants, made as the backend makes them.

use std::path::Path;

use anyhow::{Context as _, bail};
use backend_migrations::{
    disk,
    event::Scope,
    fleet::{self, Candidate, FleetOptions, Job, Stop},
    migration::{Migration, MigrationSet},
    mysql::{MySqlConnector, parse_url},
    plan::{Goal, PlanOptions},
    provision::{NewTenant, Provisioning, Slug, provision_tenant},
    secret::Key,
    selection::Coverage,
    session::Limits,
    summary::Verdict,
    tenant::Tls,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, raw_sql};

/// Slug and name.
const TENANTS: [(&str, &str); 5] = [
    ("acme-corp", "Acme Corp"),
    ("bright-health", "Bright Health"),
    ("global-retail", "Global Retail"),
    ("nordic-logistics", "Nordic Logistics"),
    ("techstart", "TechStart"),
];

const CENTRAL_DATABASE: &str = "saas_central";

/// For samples only: anybody can read it here.
pub(crate) const KEY: &str = "sample-key-for-development-only!";

/// What the samples are and how to reach them.
pub(crate) struct Samples {
    pub(crate) central_url: String,
    /// The migration that the tenants lack.
    pub(crate) pending: String,
    root_url: String,
    databases: Vec<(String, String)>,
}

/// Makes the samples on the server that `root_url` names: the central database up to date, every tenant without the
/// newest migration.
pub(crate) async fn create(root_url: &str, migrations: &Path) -> anyhow::Result<Samples> {
    let root_url = root_url.trim_end_matches('/').to_owned();
    let central_url = format!("{root_url}/{CENTRAL_DATABASE}");
    let mut samples = Samples { central_url, pending: String::new(), root_url, databases: vec![] };
    let sql = format!("CREATE DATABASE {CENTRAL_DATABASE} CHARACTER SET utf8mb4");
    run(&samples.root_url, sql).await.with_context(|| {
        format!("the server has a database `{CENTRAL_DATABASE}` already, or none may be made on it")
    })?;
    if let Err(error) = samples.fill(migrations).await {
        samples.remove().await.ok();
        return Err(error);
    }
    Ok(samples)
}

impl Samples {
    async fn fill(&mut self, migrations: &Path) -> anyhow::Result<()> {
        let central_set = disk::load(&migrations.join("central"))?;
        let tenant_set = disk::load(&migrations.join("tenant"))?;
        let Some(newest) = tenant_set.iter().last() else { bail!("there are no tenant migrations") };
        self.pending.clone_from(&newest.up.file_name);
        let older: Vec<Migration> =
            tenant_set.iter().filter(|m| m.version < newest.version).map(|m| (**m).clone()).collect();
        let older = MigrationSet::new(older)?;

        let stop = Stop::default();
        let connector = MySqlConnector::new(Limits::DEFAULT, stop.hard.clone());
        let central = parse_url(&self.central_url, "central")?;
        let key = Key::parse(KEY)?;
        let options = FleetOptions {
            job: Job::Apply(PlanOptions {
                goal: Goal::Latest,
                allow_out_of_order: false,
                allow_existing_tables: false,
            }),
            scope: Scope::Central,
            coverage: Coverage::default(),
            go_on: None,
            concurrency: std::num::NonZeroUsize::MIN,
            per_server: std::num::NonZeroUsize::MIN,
            failure_budget: None,
            tls: Tls::default(),
        };
        let candidates = vec![Candidate::Open(central.clone())];
        let summary =
            fleet::run(&connector, None, &central_set, candidates, &options, &stop, |_| Ok(())).await;
        if summary.verdict() != Verdict::Succeeded {
            let failure = summary.failed.first().map(|(_, failure)| failure.message.clone());
            bail!("the central database could not be migrated: {}", failure.unwrap_or_default());
        }
        let provisioning = Provisioning {
            connector: &connector,
            central: &central,
            admin: &central,
            key: &key,
            set: &older,
            tls: &central.tls,
            scratch: None,
        };
        for (slug, name) in TENANTS {
            let tenant = NewTenant { slug: Slug::parse(slug)?, name: name.into(), id: None, server: None };
            let provisioned = provision_tenant(provisioning, &tenant, &stop, |_| Ok(())).await?;
            self.databases.push((provisioned.label.database, provisioned.user));
        }
        Ok(())
    }

    pub(crate) fn n_tenants(&self) -> usize {
        self.databases.len()
    }

    /// The tenants' databases, each with its account.
    pub(crate) fn databases(&self) -> &[(String, String)] {
        &self.databases
    }

    /// Removes what [`create`] made, from a server that stays.
    pub(crate) async fn remove(&self) -> anyhow::Result<()> {
        remove(&self.root_url, &self.databases).await
    }
}

/// Removes the central database and these tenants' databases and accounts.
pub(crate) async fn remove(root_url: &str, databases: &[(String, String)]) -> anyhow::Result<()> {
    for (database, user) in databases {
        let sql = format!("DROP DATABASE IF EXISTS `{database}`; DROP USER IF EXISTS '{user}'@'%'");
        run(root_url, sql).await?;
    }
    run(root_url, format!("DROP DATABASE IF EXISTS {CENTRAL_DATABASE}")).await
}

async fn run(root_url: &str, sql: String) -> anyhow::Result<()> {
    let mut connection = MySqlConnection::connect(root_url).await?;
    connection.execute(raw_sql(AssertSqlSafe(sql))).await?;
    connection.close().await?;
    Ok(())
}
