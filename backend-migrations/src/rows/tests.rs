use proptest::prelude::*;

use super::*;
use crate::schema::{Check, Column, ForeignKey, Key, KeyPart};

fn column(name: &str, column_type: &str) -> Column {
    Column {
        name: name.into(),
        column_type: column_type.trim_end_matches('?').into(),
        character_set: column_type.contains("char").then(|| "utf8mb4".into()),
        collation: None,
        is_nullable: column_type.ends_with('?'),
        has_default: false,
        is_generated: false,
        is_auto_increment: false,
    }
}

fn key(columns: &[&str]) -> Key {
    let parts = columns.iter().map(|&column| KeyPart { column: Some(column.into()), prefix: None });
    Key { name: columns.join("_"), is_unique: true, parts: parts.collect() }
}

/// A foreign key to column `id`.
fn to(column: &str, table: &str) -> ForeignKey {
    ForeignKey {
        name: format!("{column}_{table}"),
        columns: vec![column.into()],
        referenced_table: table.into(),
        referenced_columns: vec!["id".into()],
    }
}

fn must(expression: &str) -> Check {
    Check { name: expression.into(), expression: expression.into() }
}

/// A table with a counter called `id`, which is its key, and these columns; a `?` after a type is for NULL.
fn table(columns: &[(&str, &str)]) -> Table {
    let id = Column { is_auto_increment: true, has_default: true, ..column("id", "int unsigned") };
    let columns = columns.iter().map(|(name, column_type)| column(name, column_type));
    Table { columns: [id].into_iter().chain(columns).collect(), keys: vec![key(&["id"])], ..Table::default() }
}

fn steps_of(tables: &[(&str, Table)], present: &[(&str, u64)], seed: u64) -> Vec<Step> {
    let tables = tables.iter().map(|(name, table)| ((*name).to_owned(), table.clone())).collect();
    let present = present.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    let task = Task {
        tables: &tables,
        flavour: Flavour::MySql,
        present: &present,
        more: &BTreeSet::new(),
        keys: &BTreeSet::new(),
        seed,
    };
    Generator::new(task).steps().to_vec()
}

fn sql(tables: &[(&str, Table)]) -> String {
    let steps = steps_of(tables, &[], 1);
    steps.iter().map(|step| step.sql.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_style_of_each_type() {
    let all = table(&[
        ("tiny", "tinyint unsigned"),
        ("big", "bigint?"),
        ("price", "decimal(10,2)"),
        ("flag", "tinyint(1)"),
        ("mask", "bit(5)"),
        ("code", "char(2)"),
        ("name", "varchar(12)"),
        ("raw", "varbinary(4)?"),
        ("state", "enum('new','it''s')"),
        ("rights", "set('r','w')"),
        ("day", "date"),
        ("at", "datetime(3)"),
        ("seen", "timestamp?"),
        ("span", "time"),
        ("born", "year"),
        ("extra", "json"),
        ("place", "point"),
        ("feeling", "vector(2)"),
    ]);
    insta::assert_snapshot!(sql(&[("t", all)]));
}

#[test]
fn a_table_comes_after_those_it_points_to() {
    let user = table(&[("name", "varchar(20)")]);
    let mut comment = table(&[("task_id", "int unsigned"), ("author_id", "int unsigned?")]);
    comment.foreign_keys = vec![to("author_id", "user"), to("task_id", "task")];
    let mut task = table(&[("user_id", "int unsigned")]);
    task.foreign_keys = vec![to("user_id", "user")];
    let text = sql(&[("comment", comment), ("task", task), ("user", user)]);
    insta::assert_snapshot!(text);
}

#[test]
fn circles_are_cut_where_null_is_taken_and_closed_again() {
    let mut team = table(&[("lead_id", "int unsigned?")]);
    team.foreign_keys = vec![to("lead_id", "person")];
    let mut person = table(&[("team_id", "int unsigned"), ("boss_id", "int unsigned?")]);
    person.foreign_keys = vec![to("boss_id", "person"), to("team_id", "team")];
    insta::assert_snapshot!(sql(&[("person", person), ("team", team)]));
}

#[test]
fn a_circle_that_takes_no_null_is_filled_unchecked() {
    let mut egg = table(&[("hen_id", "int unsigned")]);
    egg.foreign_keys = vec![to("hen_id", "hen")];
    let mut hen = table(&[("egg_id", "int unsigned")]);
    hen.foreign_keys = vec![to("egg_id", "egg")];
    insta::assert_snapshot!(sql(&[("egg", egg), ("hen", hen)]));
}

#[test]
fn keys_that_share_a_column_agree_on_it() {
    let mut project = table(&[("tenant_id", "int unsigned")]);
    project.foreign_keys = vec![to("tenant_id", "tenant")];
    let mut user = project.clone();
    let both = |name: &str, table: &str| ForeignKey {
        name: name.into(),
        columns: vec!["tenant_id".into(), format!("{table}_id")],
        referenced_table: table.into(),
        referenced_columns: vec!["tenant_id".into(), "id".into()],
    };
    user.foreign_keys = vec![to("tenant_id", "tenant")];
    let mut member =
        table(&[("tenant_id", "int unsigned"), ("project_id", "int unsigned"), ("user_id", "int unsigned")]);
    member.foreign_keys = vec![to("tenant_id", "tenant"), both("a", "project"), both("b", "user")];
    let text = sql(&[("member", member), ("project", project), ("tenant", table(&[])), ("user", user)]);
    insta::assert_snapshot!(text.lines().last().unwrap_or_default());
}

#[test]
fn checks_are_met() {
    let mut all = table(&[
        ("state", "varchar(20)"),
        ("code", "varchar(20)"),
        ("stars", "int"),
        ("low", "decimal(8,2)"),
        ("high", "decimal(8,2)"),
        ("extra", "longtext"),
    ]);
    all.checks = [
        r"(`state` in (_utf8mb4\'new\',_utf8mb4\'done\'))",
        "(char_length(`code`) = 3)",
        "(`stars` between 1 and 5)",
        "(`low` < `high`)",
        "json_valid(`extra`)",
    ]
    .map(must)
    .to_vec();
    insta::assert_snapshot!(sql(&[("t", all)]));
}

#[test]
fn more_words_than_rows_give_more_rows() {
    let text = sql(&[("t", table(&[("state", "enum('a','b','c','d','e')")]))]);
    for word in ["'a'", "'b'", "'c'", "'d'", "'e'"] {
        assert!(text.contains(word), "{word} in\n{text}");
    }
}

#[test]
fn full_tables_are_left_alone_and_go_on_counting() {
    let mut child = table(&[("parent_id", "int unsigned")]);
    child.foreign_keys = vec![to("parent_id", "parent")];
    let tables = [("child", child), ("parent", table(&[("number", "int")]))];
    let steps = steps_of(&tables, &[("parent", 5)], 1);
    assert!(steps.iter().all(|step| step.table == "child"), "{steps:?}");
    assert_eq!(steps.len(), 3);
    assert!(steps_of(&tables, &[("parent", 5), ("child", 1)], 1).is_empty());
}

#[test]
fn another_candidate_is_another_row() {
    let tables = [("t".to_owned(), table(&[("name", "varchar(20)")]))].into();
    let task = Task {
        tables: &tables,
        flavour: Flavour::MySql,
        present: &BTreeMap::new(),
        more: &BTreeSet::new(),
        keys: &BTreeSet::new(),
        seed: 1,
    };
    let generator = Generator::new(task);
    let first = generator.steps()[0].clone();
    let second = generator.another(&first).expect("there are more");
    assert_ne!(first.sql, second.sql);
    assert_eq!(second, generator.another(&first).expect("there are more"), "the same seed gives the same");
}

#[test]
fn a_table_that_is_too_small_gets_fewer_rows() {
    let mut tiny = table(&[("flag", "tinyint(1)")]);
    tiny.keys.push(key(&["flag"]));
    assert_eq!(steps_of(&[("t", tiny)], &[], 1).len(), 2);
}

/// Tables `t0` to `t5`, each with some columns, a unique key, and foreign keys to any of them, itself included.
fn any_tables() -> impl Strategy<Value = Vec<(String, Table)>> {
    const TYPES: [&str; 8] = [
        "tinyint",
        "bigint unsigned?",
        "varchar(3)",
        "varchar(300)?",
        "enum('a','b')",
        "datetime",
        "decimal(4,1)?",
        "binary(2)",
    ];
    let columns = prop::collection::vec(prop::sample::select(&TYPES[..]), 1..5);
    let links = prop::collection::vec((0_usize..6, any::<bool>()), 0..3);
    let one = (columns, links, any::<bool>());
    prop::collection::vec(one, 1..6).prop_map(|made| {
        let n_tables = made.len();
        let tables = made.into_iter().enumerate().map(|(n, (types, links, is_linked_once))| {
            let names: Vec<_> = (0..types.len()).map(|n| format!("c{n}")).collect();
            let columns: Vec<_> = names.iter().map(String::as_str).zip(types).collect();
            let mut table = table(&columns);
            table.keys.push(key(&["c0"]));
            for (at, (other, is_nullable)) in links.into_iter().enumerate() {
                let name = format!("f{at}_id");
                let column_type = if is_nullable { "int unsigned?" } else { "int unsigned" };
                table.columns.push(column(&name, column_type));
                table.foreign_keys.push(to(&name, &format!("t{}", other % n_tables)));
                if is_linked_once {
                    table.keys.push(key(&[&name]));
                }
            }
            (format!("t{n}"), table)
        });
        tables.collect()
    })
}

proptest! {
    #[test]
    fn no_key_is_there_twice_and_every_foreign_key_finds_its_row(made in any_tables(), seed in any::<u64>()) {
        let tables: BTreeMap<_, _> = made.iter().cloned().collect();
        let task = Task {
            tables: &tables,
            flavour: Flavour::MySql,
            present: &BTreeMap::new(),
            more: &BTreeSet::new(),
            keys: &BTreeSet::new(),
            seed,
        };
        let generator = Generator::new(task);
        let mut n_rows: BTreeMap<String, u64> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for step in generator.steps().iter().filter(|step| step.attempt.is_some()) {
            let filling = generator.tables.iter().find(|filling| filling.name == step.table).expect("it is there");
            let attempt = step.attempt.unwrap_or_default();
            let values = generator.row(filling, step.row, attempt);
            for (key, value) in filling.table.keys.iter().zip(filling.keys(&values)) {
                if let Some(value) = value {
                    prop_assert!(seen.insert((step.table.clone(), key.name.clone(), value)), "{}", step.sql);
                }
            }
            for (name, value) in &values {
                if let Value::Parent { table, offset, .. } = value {
                    let there = n_rows.get(table).copied().unwrap_or_default();
                    prop_assert!(*offset < there, "{} of {table} in {}", name, step.sql);
                }
            }
            *n_rows.entry(step.table.clone()).or_default() += 1;
        }
        for name in tables.keys() {
            prop_assert!(n_rows.contains_key(name), "{name} is empty");
        }
    }
}
