//! A server in a container, by testcontainers.

use std::{
    collections::HashMap,
    io, mem,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use testcontainers::{
    ContainerAsync, GenericImage, ImageExt as _,
    bollard::{
        Docker,
        errors::Error as DockerError,
        query_parameters::{
            ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, RenameContainerOptionsBuilder,
        },
    },
    core::{CmdWaitFor, ExecCommand, IntoContainerPort as _, Mount, client::docker_client_instance},
    runners::AsyncRunner as _,
};

use crate::{
    ballast,
    guardian::Guardian,
    owner,
    program::{FAST_IN_CONTAINER, random_word},
    readiness::{self, Greeting},
    search,
    server::{Held, ThrowawayServer},
    settings::{Flavour, Settings, Source, split_image},
};

const OWNER_LABEL: &str = "throwaway-server.owner";
/// How the name of a detached container begins: its owner is dead on purpose.
const DETACHED_PREFIX: &str = "throwaway-server-detached-";

/// Where the server listens in its container.
const PORT: u16 = 3306;

/// Where its data is there.
const DATA: &str = "/var/lib/mysql";

const ENGINE_LIMIT: Duration = Duration::from_secs(5);
const PULL_LIMIT: Duration = Duration::from_mins(2);
const CREATE_LIMIT: Duration = Duration::from_mins(1);
const READY_LIMIT: Duration = Duration::from_secs(90);
/// How long a container's own address may take to answer before it counts as out of reach.
const DIRECT_LIMIT: Duration = Duration::from_millis(500);

/// A container that is removed when this is dropped.
pub(crate) struct Container {
    handle: Option<ContainerAsync<GenericImage>>,
    guardian: Option<Guardian>,
    name: String,
}

impl Container {
    /// Lets the container outlive us; gives the name to remove it by.
    pub(crate) async fn detach(mut self) -> String {
        // A label cannot be changed, a name can: it tells the next sweep that this one is meant to be here.
        let name = self.name.replace(crate::sweep::PREFIX, DETACHED_PREFIX);
        let renamed = async {
            let docker = docker_client_instance().await.ok()?;
            let options = RenameContainerOptionsBuilder::new().name(&name).build();
            docker.rename_container(&self.name, options).await.ok()
        };
        let name = if renamed.await.is_some() { name } else { self.name.clone() };
        if let Some(guardian) = self.guardian.take() {
            let _ = guardian.leave();
        }
        mem::forget(self.handle.take());
        name
    }
}

impl Container {
    /// Waits until the server answers; gives root's URL, whose port is another after each start.
    async fn wait_until_ready(&self, password: &str) -> Result<(String, Greeting), String> {
        let handle = self.handle.as_ref().ok_or("the container is let go")?;
        let host = handle.get_host().await.map_err(|error| told(&error))?.to_string();
        let port = handle.get_host_port_ipv4(PORT).await.map_err(|error| told(&error))?;
        // `localhost` may mean ::1 first, which is not where the port is.
        let host = if host == "localhost" { "127.0.0.1" } else { &host };
        let url = |host: &str, port| format!("mysql://root:{password}@{host}:{port}");
        let published = url(host, port);
        let greeting = match readiness::wait_until_ready(&published, READY_LIMIT).await {
            Ok(greeting) => greeting,
            Err(error) => return Err(format!("{error}\n{}", log_tail(self).await)),
        };
        // Where the engine runs on this machine, a container can be reached without the program that stands before its
        // published port and handles every packet once more: a tenth of the time of a busy client.
        let Ok(address) = handle.get_bridge_ip_address().await else { return Ok((published, greeting)) };
        let direct = url(&address.to_string(), PORT);
        let is_direct = readiness::greets_within(&direct, DIRECT_LIMIT).await;
        Ok((if is_direct { direct } else { published }, greeting))
    }

    pub(crate) async fn fill_disk(&self) -> io::Result<()> {
        let file = format!("{DATA}/{}", ballast::NAME);
        // `dd` ends with an error, as it is meant to.
        match self.runs(&format!("dd if=/dev/zero of={file} bs=64k 2>/dev/null; test -s {file}")).await {
            Ok(()) => Ok(()),
            Err(_) => ballast::fill(&self.ballast().await?),
        }
    }

    pub(crate) async fn free_disk(&self) -> io::Result<()> {
        match self.runs(&format!("rm -f {DATA}/{}", ballast::NAME)).await {
            Ok(()) => Ok(()),
            Err(_) => ballast::free(&self.ballast().await?),
        }
    }

    async fn runs(&self, script: &str) -> io::Result<()> {
        let handle = self.handle.as_ref().ok_or_else(|| io::Error::other("the container is let go"))?;
        let command =
            ExecCommand::new(["sh", "-c", script]).with_cmd_ready_condition(CmdWaitFor::exit_code(0));
        handle.exec(command).await.map(|_| ()).map_err(|error| io::Error::other(told(&error)))
    }

    /// Where the image has no shell: the file as root of the engine's own machine sees it.
    async fn ballast(&self) -> io::Result<PathBuf> {
        let docker = docker_client_instance().await.map_err(|error| io::Error::other(told(&error)))?;
        let inspected = docker.inspect_container(&self.name, None).await;
        let state = inspected.map_err(|error| io::Error::other(told(&error)))?.state;
        let pid = state.and_then(|state| state.pid).filter(|pid| *pid > 0);
        let pid = pid.ok_or_else(|| io::Error::other("the container has no process"))?;
        Ok(ballast::in_the_eyes_of(&pid.to_string(), Path::new(DATA)))
    }

    /// Kills the server and starts it again on the data it had.
    pub(crate) async fn crash(&self, password: &str) -> Result<(String, Greeting), String> {
        let docker = docker_client_instance().await.map_err(|error| told(&error))?;
        // SIGKILL is Docker's default.
        docker.kill_container(&self.name, None).await.map_err(|error| told(&error))?;
        docker.start_container(&self.name, None).await.map_err(|error| told(&error))?;
        self.wait_until_ready(password).await
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let Some(handle) = self.handle.take() else { return };
        // testcontainers removes a container when its handle is dropped, but only inside of a runtime, and a server
        // may be dropped anywhere.
        let removed = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let _inside = runtime.enter();
            drop(handle);
            io::Result::Ok(())
        })
        .join();
        if let (Ok(Ok(())), Some(guardian)) = (removed, self.guardian.take()) {
            let _ = guardian.leave();
        }
    }
}

/// Starts a container of a flavour that would do, MySQL first; a reason if there is none.
pub(crate) async fn start(settings: &Settings) -> Result<ThrowawayServer, String> {
    let docker = docker_client_instance().await.map_err(|error| told(&error))?;
    match tokio::time::timeout(ENGINE_LIMIT, docker.ping()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(format!("no Docker engine answers: {}", told(&error))),
        Err(_) => return Err(format!("no Docker engine answers within {} s", ENGINE_LIMIT.as_secs())),
    }
    sweep(&docker).await;

    let mut reasons = Vec::new();
    for flavour in settings.flavours() {
        match start_image(&docker, flavour, settings).await {
            Ok(server) => return Ok(server),
            Err(reason) => reasons.push(format!("image {}: {reason}", settings.image(flavour))),
        }
    }
    Err(reasons.join("\n"))
}

async fn start_image(
    docker: &Docker,
    flavour: Flavour,
    settings: &Settings,
) -> Result<ThrowawayServer, String> {
    let image = settings.image(flavour);
    let (name, tag) = split_image(image);
    let is_local = docker.inspect_image(&format!("{name}:{tag}")).await.is_ok();

    let word = random_word().map_err(|error| format!("no random password: {error}"))?;
    let password = random_word().map_err(|error| format!("no random password: {error}"))?;
    let container_name = format!("{}{word}", crate::sweep::PREFIX);
    let arguments =
        FAST_IN_CONTAINER.iter().copied().chain(settings.server_arguments.iter().map(String::as_str));
    // No ready conditions: what a server logs differs from version to version, and only an answer is an answer.
    let mut request = GenericImage::new(name, tag)
        .with_exposed_port(PORT.tcp())
        .with_container_name(&container_name)
        .with_env_var("MYSQL_ROOT_PASSWORD", &password)
        .with_env_var("MARIADB_ROOT_PASSWORD", &password)
        .with_startup_timeout(CREATE_LIMIT)
        .with_cmd(arguments);
    if let Some(bytes) = settings.disk_bytes {
        let bytes = i64::try_from(bytes).map_err(|error| format!("the disk's size: {error}"))?;
        request = request.with_mount(Mount::tmpfs_mount(DATA).with_size_bytes(bytes));
    } else if !settings.is_durable {
        // Memory is gone with the container's processes.
        request = request.with_mount(Mount::tmpfs_mount(DATA));
    }
    if let Some(mark) = owner::mark() {
        request = request.with_label(OWNER_LABEL, mark);
    }

    if !is_local {
        settings.tell(&format!("pulling the image {image}"));
        request = match tokio::time::timeout(PULL_LIMIT, request.pull_image()).await {
            Ok(pulled) => pulled.map_err(|error| told(&error))?,
            Err(_) => return Err(format!("not pulled within {} s", PULL_LIMIT.as_secs())),
        };
    }
    let guardian =
        search::on_path("docker").and_then(|docker| Guardian::of_container(&docker, &container_name).ok());
    let handle = request.start().await.map_err(|error| told(&error))?;
    let container = Container { handle: Some(handle), guardian, name: container_name };
    let (url, greeting) = container.wait_until_ready(&password).await?;
    let origin = format!("in Docker (image {image})");
    ThrowawayServer::new(&url, greeting, origin, Source::Docker, Held::Container(Box::new(container)))
        .map_err(|error| error.to_string())
}

async fn log_tail(container: &Container) -> String {
    let Some(handle) = &container.handle else { return String::new() };
    let log = handle.stderr_to_vec().await.unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

/// Removes a container by its name; one that is gone is no error.
pub(crate) async fn remove(name: &str) -> Result<(), String> {
    let docker = docker_client_instance().await.map_err(|error| told(&error))?;
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    match docker.remove_container(name, Some(options)).await {
        Ok(()) | Err(DockerError::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
        Err(error) => Err(told(&error)),
    }
}

/// Removes containers whose owners died without a guardian. What cannot be removed is left: it is not this start's.
async fn sweep(docker: &Docker) {
    let filters = HashMap::from([("label", vec![OWNER_LABEL])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let Ok(Ok(containers)) = tokio::time::timeout(ENGINE_LIMIT, docker.list_containers(Some(options))).await
    else {
        return;
    };
    for container in containers {
        // Docker puts a slash before names.
        let name = container.names.unwrap_or_default().pop().unwrap_or_default().replace('/', "");
        let labels = container.labels.unwrap_or_default();
        let is_dead = labels.get(OWNER_LABEL).is_some_and(|mark| owner::is_dead(mark));
        if is_dead && !name.starts_with(DETACHED_PREFIX) {
            let _ = remove(&name).await;
        }
    }
}

/// An error with its causes, as libraries below tell the interesting part last.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
