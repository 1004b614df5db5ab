//! What operators copy: the image's last stage is built and run, and the manifests name what there is.
//!
//! Not covered: the Dockerfile's builder stage, which needs an image with Rust. The binary that goes into the image is built
//! here instead, by the same command but for the profile.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use end_to_end::{Flavour, Fleet, Invocation, KEY, Program, Server, canary, query};
use serde_json::Value;
use tempfile::TempDir;

const IMAGE: &str = "backend-migrations-test";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is in a workspace")
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join("deploy").join(file)).expect("it is there")
}

/// Runs a program to its end; fails unless it succeeds.
fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("it can be run");
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    canary::check("a program", &format!("{stdout}{stderr}"));
    assert!(status.success(), "{status}\n{stdout}\n{stderr}");
    stdout.into_owned()
}

/// The binary with its migrations built in. In a folder of its own: it must not take the place of the one under test.
fn embedding_binary() -> PathBuf {
    let target = root().join("target/embedding");
    let args = "build --quiet --package backend-migrations --features cli,embed --locked --target-dir";
    run(Command::new(env!("CARGO")).current_dir(root()).args(args.split(' ')).arg(&target));
    target.join("debug/backend-migrations")
}

/// The libraries that `binary` is linked with, and the loader.
fn libraries(binary: &Path) -> Vec<PathBuf> {
    let listed = run(Command::new("ldd").arg(binary));
    listed.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

fn copy(from: &Path, root: &Path, to: &Path) -> io::Result<()> {
    let to = root.join(to.strip_prefix("/").unwrap_or(to));
    fs::create_dir_all(to.parent().unwrap_or(root))?;
    fs::copy(from, to).map(|_| ())
}

/// Builds the last stage of `deploy/Dockerfile` on a runtime that has nothing but the C library.
fn build_image() -> io::Result<()> {
    let (folder, binary) = (TempDir::new()?, embedding_binary());
    let (runtime, last) = (folder.path().join("runtime"), folder.path().join("last"));
    for library in libraries(&binary) {
        copy(&library, &runtime.join("root"), &library)?;
    }
    copy(&binary, &last.join("image"), Path::new("/usr/local/bin/backend-migrations"))?;
    fs::write(runtime.join("Dockerfile"), "FROM scratch\nCOPY root/ /\n")?;
    let dockerfile = read("Dockerfile");
    let (_, stage) = dockerfile.rsplit_once("FROM ").expect("a last stage");
    let from_builder = "COPY --from=builder /image/ /";
    assert!(stage.starts_with("${RUNTIME_IMAGE}") && stage.contains(from_builder), "{stage}");
    let stage = stage.replace(from_builder, "COPY image/ /");
    fs::write(last.join("Dockerfile"), format!("ARG RUNTIME_IMAGE\nFROM {stage}"))?;
    let runtime_image = format!("{IMAGE}-runtime");
    run(Command::new("docker").args(["build", "--quiet", "--tag", &runtime_image]).arg(&runtime));
    let argument = format!("RUNTIME_IMAGE={runtime_image}");
    run(Command::new("docker")
        .args(["build", "--quiet", "--tag", IMAGE, "--build-arg", &argument])
        .arg(&last));
    Ok(())
}

/// The image's container, as the Job runs it: not root, nothing writable but `/tmp`, no capability.
fn container(fleet: &Fleet, args: &str) -> Command {
    let mut docker = Command::new("docker");
    docker
        .args("run --rm --network host --read-only --tmpfs /tmp --cap-drop ALL --security-opt".split(' '))
        .args(["no-new-privileges", "--env", "CENTRAL_DATABASE_URL", "--env", "DB_ENCRYPTION_KEY"])
        .env("CENTRAL_DATABASE_URL", fleet.server().url(&fleet.central_database()))
        .env("DB_ENCRYPTION_KEY", KEY)
        .arg("--volume")
        .arg(format!("{}:/mine:ro", fleet.migrations("tenant").parent().expect("a folder").display()))
        .arg(IMAGE)
        .args(args.split(' '));
    docker
}

#[test]
fn the_image_migrates() {
    let has_docker =
        Command::new("docker").arg("version").output().is_ok_and(|output| output.status.success());
    if has_docker {
        build_image().expect("the image can be built");
        end_to_end::on(Flavour::MySql, the_image_migrates_on);
        run(Command::new("docker").args(["image", "rm", "--force", IMAGE, &format!("{IMAGE}-runtime")]));
    } else {
        end_to_end::tell("the image is NOT TESTED: no Docker engine answers");
    }
}

async fn the_image_migrates_on(server: &'static Server) {
    let fleet = Fleet::without_tables(server, "image").await;
    let user = run(Command::new("docker").args(["image", "inspect", "--format", "{{.Config.User}}", IMAGE]));
    assert_eq!(user.trim(), "65532:65532");
    // With the migrations that are built in.
    assert!(run(&mut container(&fleet, "migrate:latest")).contains("Ran 2 migrations"));
    run(&mut container(&fleet, "tenant:provision --slug image-acme --name Acme"));
    let files = fs::read_dir(root().join("migrations/tenant")).expect("a folder");
    let n_up = files
        .filter(|file| file.as_ref().is_ok_and(|f| f.path().to_string_lossy().ends_with(".up.sql")))
        .count();
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::value(&mut acme, "SELECT COUNT(*) FROM _sqlx_migrations").await, n_up.to_string());
    assert!(run(&mut container(&fleet, "migrate:all-tenants")).contains("Already up to date"));
    // With a folder's instead.
    fleet.write_samples();
    fleet.write("20990101000000_notes.up.sql", "CREATE TABLE notes (id INT PRIMARY KEY);");
    let output = run(&mut container(&fleet, "migrate:all-tenants --migrations /mine"));
    assert!(output.contains("20990101000000_notes.up.sql"), "{output}");
    assert_eq!(query::column(&mut acme, "SHOW TABLES LIKE 'notes'").await, ["notes"]);
    let output = container(&fleet, "migrate:status --exit-code").output().expect("docker runs");
    assert_eq!(output.status.code(), Some(5), "the image's own migrations lack one that is applied");
}

/// A manifest as JSON: the same model, and anchors resolved.
fn manifest(file: &str) -> Value {
    serde_saphyr::from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Fails unless the binary has this command.
async fn check_command(args: &Value) {
    let command = args[0].as_str().expect("a command");
    Invocation::new(Program::BackendMigrations, command).arg("--help").await.exits(0);
}

#[tokio::test]
async fn the_job_names_what_there_is() {
    let job = manifest("kubernetes/job.yaml");
    assert_eq!((&job["kind"], &job["metadata"]["name"]), (&"Job".into(), &"tenant-migrations".into()));
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(pod["restartPolicy"], "OnFailure");
    assert_eq!(pod["securityContext"]["runAsUser"], 65532, "the image's USER");
    for (container, command) in
        [(&pod["initContainers"][0], "migrate:latest"), (&pod["containers"][0], "migrate:all-tenants")]
    {
        assert_eq!(container["args"][0], command);
        check_command(&container["args"]).await;
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        assert_eq!(container["volumeMounts"][0]["mountPath"], "/tmp");
        let names: Vec<_> =
            container["env"].as_array().expect("a list").iter().map(|env| &env["name"]).collect();
        assert_eq!(names, ["CENTRAL_DATABASE_URL", "DB_ENCRYPTION_KEY"]);
        for env in container["env"].as_array().expect("a list") {
            assert_eq!(
                env["valueFrom"]["secretKeyRef"]["name"], "backend-migrations",
                "no secret in the file"
            );
        }
    }
}

#[tokio::test]
async fn the_compose_files_name_what_there_is() {
    let compose = manifest("compose.yaml");
    let services = &compose["services"];
    for (service, after) in
        [("migrate-central", "mysql"), ("migrations", "migrate-central"), ("backend", "migrations")]
    {
        assert!(services[service]["depends_on"][after].is_object(), "{service} waits for {after}");
    }
    for service in ["migrate-central", "migrations"] {
        check_command(&services[service]["command"]).await;
        assert_eq!(services[service]["build"]["dockerfile"], "deploy/Dockerfile");
    }
    let condition = &services["backend"]["depends_on"]["migrations"]["condition"];
    assert_eq!(condition, "service_completed_successfully");
    let in_backend = manifest("compose.in-backend.yaml");
    let command = in_backend["services"]["backend"]["command"][0].as_str().expect("a line").to_owned();
    let (run, _) = command.split_once(" && exec ").expect("the backend after the migrations");
    let (program, args) = run.split_once(' ').expect("a program and a command");
    assert_eq!(program, "backend-migrations");
    check_command(&serde_json::json!([args])).await;
    assert!(!read("compose.yaml").contains(KEY));
}
