//! What `migrate:lint` says a server refuses, servers refuse; and they take what it passes.

use std::collections::BTreeSet;

use backend_migrations::{
    directive::SideFile,
    disk::{Survey, survey_files},
    finding::Finding,
    lint::{Example, Files, Input, lint, rule},
    migration::Script,
};
use end_to_end::{Server, on_each_server, query};
use sqlx::{Executor as _, MySqlConnection};

on_each_server!(what_is_said_to_be_refused_is_refused);

/// The rules that say that a statement fails, whatever the rows are.
const RULES: [&str; 9] = ["D108", "L106", "M110", "M111", "M112", "M113", "M114", "S113", "S118"];

async fn what_is_said_to_be_refused_is_refused(server: &'static Server) {
    let mut faults = Vec::new();
    for code in RULES {
        let rule = rule(code).expect("a rule");
        for (at, example) in rule.fires.iter().chain(rule.passes).enumerate() {
            // A table that no file of it makes is not there.
            let is_whole = !example.contents().iter().any(|(_, text)| text.contains("elsewhere"));
            if is_whole && matches!(example.files, Files::Written(_)) {
                let name = format!("lint_claims_{code}");
                let found = try_out(server, &name, code, example).await;
                faults.extend(found.into_iter().map(|fault| format!("{code}, example {at}: {fault}")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Runs the files of an example, and says where the server did not do what the findings of the rule say.
async fn try_out(server: &'static Server, database: &str, code: &str, example: &Example) -> Vec<String> {
    let files = example.contents().into_iter().map(|(name, text)| (name, text.into_bytes()));
    let survey = survey_files(files);
    let findings: Vec<_> = findings(&survey).into_iter().filter(|finding| finding.code.0 == code).collect();
    let mut root = server.connect("").await;
    query::run(&mut root, &format!("DROP DATABASE IF EXISTS {database}")).await;
    query::run(&mut root, &format!("CREATE DATABASE {database} CHARACTER SET utf8mb4")).await;
    let mut connection = server.connect(database).await;
    let mut faults = Vec::new();
    for migration in survey.set.iter() {
        let ups = [Some(&migration.up), migration.down.as_ref().filter(|down| is_named(&findings, down))];
        for script in ups.into_iter().flatten() {
            let told = findings.iter().filter(|finding| is_about(finding, script));
            let refusals: Vec<_> = told.filter(|finding| is_meant(server, finding)).collect();
            match (run(&mut connection, script).await, refusals.as_slice()) {
                (None, []) => {}
                (Some((_, error)), []) => faults.push(format!("{} failed: {error}", script.file_name)),
                (None, [first, ..]) => faults.push(format!("{} ran: {}", script.file_name, first.message)),
                (Some((number, error)), refusals) => {
                    let numbers: BTreeSet<_> =
                        refusals.iter().flat_map(|finding| numbers(&finding.message)).collect();
                    if !numbers.is_empty() && !numbers.contains(&number) {
                        faults
                            .push(format!("{}: {numbers:?} were said, and it is {error}", script.file_name));
                    }
                }
            }
        }
    }
    query::run(&mut root, &format!("DROP DATABASE {database}")).await;
    faults
}

fn findings(survey: &Survey) -> Vec<Finding> {
    let Survey { files, set, faults } = survey;
    lint(&Input { files, set, faults, base: None, side_file: &SideFile::default(), only: None })
}

fn is_about(finding: &Finding, script: &Script) -> bool {
    finding.at.as_ref().is_some_and(|at| at.file_name == script.file_name)
}

fn is_named(findings: &[Finding], script: &Script) -> bool {
    findings.iter().any(|finding| is_about(finding, script))
}

/// Whether the finding is about this server: it names one of the two, or means both.
fn is_meant(server: &Server, finding: &Finding) -> bool {
    let names = |server: &str| finding.message.contains(&format!("{server} refuses"));
    let is_of_one = names("MySQL") || names("MariaDB") || finding.message.contains("MariaDB drops");
    !is_of_one || names("MySQL") == server.is_mysql()
}

/// The error numbers that a message names.
fn numbers(message: &str) -> impl Iterator<Item = u16> {
    message
        .split(|c: char| !c.is_ascii_digit())
        .filter(|word| word.len() == 4)
        .filter_map(|word| word.parse().ok())
}

/// Runs the statements up to the first that fails: its error, and the number of it.
async fn run(connection: &mut MySqlConnection, script: &Script) -> Option<(u16, String)> {
    for statement in &script.statements {
        let sql = sqlx::AssertSqlSafe(statement.text.clone());
        if let Err(error) = connection.execute(sqlx::raw_sql(sql)).await {
            let number = error
                .as_database_error()
                .and_then(|error| error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>())
                .map(sqlx::mysql::MySqlDatabaseError::number)
                .expect("the server answers");
            return Some((number, error.to_string()));
        }
    }
    None
}
