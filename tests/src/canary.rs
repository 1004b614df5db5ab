//! The secrets of this process's tests, which no output may contain.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use backend_migrations::{seal, secret::Key};
use sqlx::{Connection as _, Executor as _, MySqlConnection};

static SECRETS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// From here on no output may contain `secret`.
pub fn learn(secret: &str) {
    assert!(secret.len() >= 8, "a secret of {} letters is found by chance", secret.len());
    SECRETS.lock().unwrap_or_else(PoisonError::into_inner).insert(secret.to_owned());
}

/// Learns the password of every tenant in the central database, as the backend would open it.
pub(crate) async fn learn_passwords(central_url: &str, key: &str) {
    const NO_SUCH_DATABASE_OR_TABLE: [u16; 2] = [1049, 1146];
    match sealed_passwords(central_url).await {
        Ok(sealed) => {
            let key = Key::parse(key).expect("the tests' key is a key");
            // Rows that a test has broken on purpose cannot be opened by anybody.
            for password in sealed.iter().filter_map(|sealed| seal::open(sealed, &key).ok()) {
                learn(password.expose());
            }
        }
        Err(sqlx::Error::Database(error))
            if error
                .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
                .is_some_and(|error| NO_SUCH_DATABASE_OR_TABLE.contains(&error.number())) => {}
        Err(error) => panic!("the tenants' passwords cannot be learnt: {error}"),
    }
}

async fn sealed_passwords(central_url: &str) -> Result<Vec<String>, sqlx::Error> {
    let mut central = MySqlConnection::connect(central_url).await?;
    // A test may have turned the server's defaults against every query.
    let all = "SET sql_big_selects = 1, sql_select_limit = 18446744073709551615/*!50708 , max_execution_time = 0*/\
               /*M!100101 , max_statement_time = 0*/";
    central.execute(sqlx::raw_sql(all)).await?;
    let sealed = sqlx::query_scalar("SELECT db_password FROM tenants").fetch_all(&mut central).await?;
    central.close().await?;
    Ok(sealed)
}

/// Fails if `text` contains a secret, without printing it.
pub fn check(what: &str, text: &str) {
    let secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    let leaked = secrets.iter().find(|secret| text.contains(secret.as_str()));
    // Not under the lock: a panic must not keep other tests from learning.
    let hide = |secret: &String, text: &str| text.replace(secret.as_str(), "<THE SECRET>");
    let told = leaked.map(|secret| (hide(secret, what), hide(secret, text)));
    drop(secrets);
    if let Some((what, told)) = told {
        panic!("a secret is in the output of {what}:\n{told}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_an_output_is_found_and_not_repeated() {
        learn("canary-in-the-coal-mine");
        check("nobody", "all is well");
        let panic =
            std::panic::catch_unwind(|| check("somebody", "psst: canary-in-the-coal-mine!")).unwrap_err();
        let message = panic.downcast::<String>().unwrap();
        assert_eq!(*message, "a secret is in the output of somebody:\npsst: <THE SECRET>!");
    }
}
