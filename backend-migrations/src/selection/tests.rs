use super::*;
use crate::tenant::{Label, TenantId};

/// A row from `slug id status server database`.
fn row(words: &str) -> TenantRow {
    let words: Vec<_> = words.split_whitespace().collect();
    let [slug, id, status, server, database] = words[..] else { panic!("five words: {words:?}") };
    let (host, port) = server.split_once(':').expect("host:port");
    let label = Label {
        id: Some(TenantId(id.to_owned())),
        slug: slug.to_owned(),
        name: slug.to_uppercase(),
        database: database.to_owned(),
        server: ServerId { host: host.to_owned(), port: port.parse().expect("a port") },
    };
    let target =
        SealedTarget { label: label.into(), user: "u".to_owned(), sealed_password: "sealed".to_owned() };
    TenantRow { target, status: status.to_owned() }
}

fn rows(text: &str) -> Vec<TenantRow> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(row).collect()
}

/// One of each status, one whose status is in other letters, and one whose slug is an id.
fn fleet() -> Vec<TenantRow> {
    rows(
        "
        active    1  ACTIVE        db1:3306  active_db
        archived  2  ARCHIVED      db1:3306  archived_db
        failed    3  FAILED        db1:3306  failed_db
        lower     4  active        db1:3306  lower_db
        new       5  PROVISIONING  db1:3306  new_db
        paused    6  SUSPENDED     db2:3306  paused_db
        same      same ACTIVE      db2:3306  same_db
    ",
    )
}

fn names(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

fn statuses(list: &str) -> Vec<TenantStatus> {
    list.split_whitespace().map(|word| TenantStatus::parse(word).expect("a status")).collect()
}

/// What comes of it in one line: the slugs and who is left out, or the error and its hint.
fn told(rows: &[TenantRow], selection: &Selection) -> String {
    match select(rows, selection) {
        Ok(Selected { targets, coverage }) => {
            let slugs: Vec<_> = targets.iter().map(|target| target.label.slug.as_str()).collect();
            let left_out = coverage.left_out().map(|left_out| format!("; left out: {left_out}"));
            format!("{}{}", slugs.join(" "), left_out.unwrap_or_default())
        }
        Err(error) => format!("{error} | {}", error.hint()),
    }
}

fn all(only: &str, exclude: &str, with: &str) -> Selection {
    Selection::Fleet { only: names(only), exclude: names(exclude), statuses: statuses(with) }
}

#[test]
fn who_is_meant_of_a_fleet() {
    let check = |only: &str, exclude: &str, with: &str, expected: &str| {
        assert_eq!(
            told(&fleet(), &all(only, exclude, with)),
            expected,
            "--only {only} --exclude {exclude} --status {with}"
        );
    };
    let others = "left out: 1 PROVISIONING, 1 SUSPENDED, 1 FAILED, 1 ARCHIVED";
    check("", "", "ACTIVE", &format!("active lower same; {others}"));
    check("", "active", "ACTIVE", &format!("lower same; {others}, 1 by `--exclude`"));
    check("", "1", "ACTIVE", &format!("lower same; {others}, 1 by `--exclude`"));
    // Whoever is left out anyway is not left out twice.
    check("", "paused", "ACTIVE", &format!("active lower same; {others}"));
    check(
        "",
        "",
        "ACTIVE SUSPENDED",
        "active lower paused same; left out: 1 PROVISIONING, 1 FAILED, 1 ARCHIVED",
    );
    check("", "", "FAILED", "failed; left out: 1 PROVISIONING, 3 ACTIVE, 1 SUSPENDED, 1 ARCHIVED");
    check(
        "",
        "",
        "PROVISIONING ACTIVE SUSPENDED FAILED ARCHIVED",
        "active archived failed lower new paused same",
    );
    check("same", "", "ACTIVE", "same");
    check("4 active", "", "ACTIVE", "active lower");
    check("active active 1", "", "ACTIVE", "active");
    check("paused", "", "ACTIVE SUSPENDED", "paused");
    check("active lower", "4", "ACTIVE", "active; left out: 1 by `--exclude`");
    check(
        "paused",
        "",
        "ACTIVE",
        "tenant \"paused\" is SUSPENDED, not ACTIVE | `--status SUSPENDED` works on it all the same; set its `status` to \
         ACTIVE in the table `tenants` if it is in use again",
    );
    check(
        "new",
        "",
        "ACTIVE SUSPENDED",
        "tenant \"new\" is PROVISIONING, not ACTIVE or SUSPENDED | `tenant:provision` with the same slug goes on where it \
         stopped",
    );
    check(
        "active",
        "active",
        "ACTIVE",
        "no tenant is selected: `--only` and `--exclude` leave none of the 3 ACTIVE tenants | `migrate:status` lists the \
         active tenants",
    );
    check("activ", "", "ACTIVE", "no tenant has the slug or id \"activ\" | did you mean \"active\"?");
    check(
        "",
        "zzz",
        "ACTIVE",
        "no tenant has the slug or id \"zzz\" | `migrate:status` lists the active tenants",
    );
    // Letter by letter, whatever the table's collation is.
    check("ACTIVE", "", "ACTIVE", "no tenant has the slug or id \"ACTIVE\" | did you mean \"active\"?");
}

#[test]
fn a_fleet_of_none_is_an_error_and_an_empty_table_is_not() {
    assert_eq!(told(&[], &all("", "", "ACTIVE")), "");
    let paused = rows("paused 6 SUSPENDED db2:3306 paused_db");
    assert_eq!(
        told(&paused, &all("", "", "ACTIVE FAILED")),
        "no tenant is selected: none of the tenants in the central database is ACTIVE or FAILED | `tenant:provision` makes \
         a tenant; what each one's `status` is the table `tenants` tells"
    );
}

#[test]
fn who_is_meant_by_one_name() {
    let check = |wanted: &str, with: Option<&str>, expected: &str| {
        let selection = Selection::One { wanted: wanted.to_owned(), statuses: with.map(statuses) };
        assert_eq!(told(&fleet(), &selection), expected, "{wanted} {with:?}");
    };
    check("active", Some("ACTIVE"), "active");
    check("1", Some("ACTIVE"), "active");
    check("same", Some("ACTIVE"), "same");
    check("lower", Some("ACTIVE"), "lower");
    check("paused", None, "paused");
    check("2", None, "archived");
    check("paused", Some("ACTIVE SUSPENDED"), "paused");
    check(
        "3",
        Some("ACTIVE"),
        "tenant \"failed\" is FAILED, not ACTIVE | `tenant:provision` with the same slug goes on where it stopped",
    );
    check("7", None, "no tenant has the slug or id \"7\" | `migrate:status` lists the active tenants");
}

#[test]
fn a_name_of_two_tenants_means_neither() {
    // The slug of one is the id of the other, two have one slug, two have one id, two have both.
    let mixed = rows(
        "
        acme    1     ACTIVE    db1:3306  acme_db
        beta    acme  ACTIVE    db1:3306  beta_db
        twice   8     ACTIVE    db1:3306  c_db
        twice   9     ARCHIVED  db1:3306  d_db
        e       10    ACTIVE    db1:3306  e_db
        f       10    ACTIVE    db1:3306  f_db
        g       g     ACTIVE    db1:3306  g_db
        g       g     ACTIVE    db1:3306  h_db
    ",
    );
    let one = |wanted: &str| Selection::One { wanted: wanted.to_owned(), statuses: Some(statuses("ACTIVE")) };
    let ambiguous = "\"acme\" names more than one tenant: the one with slug \"acme\" and id \"1\" and the one with slug \
                     \"beta\" and id \"acme\" | name the one that is meant by its id \"1\" or by its slug \"beta\"";
    for selection in
        [one("acme"), all("acme", "", "ACTIVE"), all("", "acme", "ACTIVE"), all("beta", "acme", "ACTIVE")]
    {
        assert_eq!(told(&mixed, &selection), ambiguous, "{selection:?}");
    }
    assert_eq!(told(&mixed, &one("1")), "acme");
    assert_eq!(told(&mixed, &one("beta")), "beta");
    assert_eq!(
        told(&mixed, &one("twice")),
        "\"twice\" names more than one tenant: the one with slug \"twice\" and id \"8\" and the one with slug \"twice\" and \
         id \"9\" | name the one that is meant by its id \"8\" or by its id \"9\""
    );
    assert_eq!(
        told(&mixed, &one("10")),
        "\"10\" names more than one tenant: the one with slug \"e\" and id \"10\" and the one with slug \"f\" and id \"10\" \
         | name the one that is meant by its slug \"e\" or by its slug \"f\""
    );
    assert!(
        told(&mixed, &one("g"))
            .ends_with("| give each tenant a slug and an id of its own in the table `tenants`")
    );
    // Nobody asked for them by name, so nobody is in doubt.
    assert_eq!(select(&mixed, &all("", "", "ACTIVE")).expect("all of them").targets.len(), 7);
}

#[test]
fn a_status_that_is_none_is_never_skipped_in_silence() {
    let odd = rows(
        "
        a  1  ACTIVE  db1:3306  a_db
        b  2  TRIAL   db1:3306  b_db
        c  3  GONE    db1:3306  c_db
    ",
    );
    let error = "tenant \"b\" has the status \"TRIAL\", which is none of PROVISIONING, ACTIVE, SUSPENDED, FAILED and \
                 ARCHIVED";
    let hint = "correct `status` in the table `tenants`, or leave the tenant out with `--exclude b`";
    assert_eq!(told(&odd, &all("", "", "ACTIVE")), format!("{error}; so it is with 1 other | {hint}"));
    assert_eq!(told(&odd, &all("", "c", "ACTIVE")), format!("{error} | {hint}"));
    assert_eq!(told(&odd, &all("a b", "", "ACTIVE")), format!("{error} | {hint}"));
    assert_eq!(told(&odd, &all("", "b 3", "ACTIVE")), "a");
    assert_eq!(told(&odd, &all("a", "", "ACTIVE")), "a");
    let one = |statuses| Selection::One { wanted: "b".to_owned(), statuses };
    assert_eq!(told(&odd, &one(Some(statuses("ACTIVE")))), format!("{error} | {hint}"));
    assert_eq!(told(&odd, &one(None)), "b");
}

#[test]
fn two_rows_for_one_database_are_found() {
    let targets = |text: &str| -> Vec<_> { rows(text).into_iter().map(|row| row.target).collect() };
    let check = |text: &str, error: Option<&str>, expected: &str| {
        let targets = targets(text);
        let told = check_distinct(&targets).err().map(|error| error.to_string());
        assert_eq!(told.as_deref(), error, "{text}");
        let mut doubtful: Vec<_> = doubtful(&targets).iter().map(|label| label.slug.clone()).collect();
        doubtful.sort();
        assert_eq!(doubtful.join(" "), expected, "{text}");
    };
    check("a 1 ACTIVE db1:3306 a_db\nb 2 ACTIVE db1:3306 b_db", None, "");
    check(
        "a 1 ACTIVE db1:3306 x_db\nb 2 ACTIVE db1:3306 x_db",
        Some("tenants \"a\" and \"b\" have the same database: `x_db` on db1:3306"),
        "a b",
    );
    check(
        "a 1 ACTIVE db1:3306 x_db\nb 2 ACTIVE DB1:3306 x_db",
        Some("tenants \"a\" and \"b\" have the same database: `x_db` on DB1:3306"),
        "a b",
    );
    // Other ports, other hosts, other letters: only the server knows.
    check("a 1 ACTIVE db1:3306 x_db\nb 2 ACTIVE db1:3307 x_db", None, "a b");
    check("a 1 ACTIVE db1:3306 x_db\nb 2 ACTIVE db2:3306 x_db\nc 3 ACTIVE db1:3306 c_db", None, "a b");
    check("a 1 ACTIVE db1:3306 x_db\nb 2 ACTIVE db1:3306 X_db", None, "a b");
}
