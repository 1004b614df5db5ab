//! The order of the choices.

use crate::{
    container,
    error::{Attempt, StartError},
    packages, program, readiness, search,
    server::{Held, ThrowawayServer},
    settings::{Options, Settings, Source},
    sweep,
};

/// Starts a server: the first of the choices that works.
///
/// # Errors
///
/// [`StartError::NothingWorked`] lists every choice with its reason; [`StartError::Setting`] if an environment
/// variable has a value that is not understood.
pub async fn start(options: &Options) -> Result<ThrowawayServer, StartError> {
    let settings = Settings::read(options)?;
    sweep::folders();

    let mut attempts = Vec::new();
    for source in Source::IN_ORDER {
        if settings.source.is_some_and(|forced| forced != source) {
            continue;
        }
        let started = match source {
            Source::Url => given(&settings).await,
            Source::Docker => contained(&settings).await,
            Source::Local => local(&settings).await,
            Source::Packages => unpacked(&settings).await,
        };
        match started {
            Ok(mut server) => {
                server.skipped = attempts;
                return Ok(server);
            }
            Err(reason) => {
                attempts.push(Attempt { source, reason });
                // Someone who names a server wants that one: quietly taking another would hide that it is down.
                if source == Source::Url && settings.url.is_some() {
                    break;
                }
            }
        }
    }
    Err(StartError::NothingWorked { flavour: settings.flavour, attempts })
}

async fn given(settings: &Settings) -> Result<ThrowawayServer, String> {
    let Some(url) = &settings.url else {
        return Err("THROWAWAY_SERVER_URL is not set".into());
    };
    let greeting = readiness::greet_patiently(url).await.map_err(|error| {
        // The URL holds a password, so it is not repeated.
        format!("the server of THROWAWAY_SERVER_URL does not answer: {error}")
    })?;
    if let Some(wanted) = settings.flavour.filter(|wanted| *wanted != greeting.flavour) {
        return Err(format!("the server of THROWAWAY_SERVER_URL is {}, not {wanted}", greeting.flavour));
    }
    ThrowawayServer::new(url, greeting, "at THROWAWAY_SERVER_URL", Source::Url, Held::Given)
        .map_err(|error| format!("THROWAWAY_SERVER_URL cannot be read: {error}"))
}

async fn contained(settings: &Settings) -> Result<ThrowawayServer, String> {
    let Some(wanted) = settings.of_wanted_version() else { return container::start(settings).await };
    match container::start(&wanted).await {
        Ok(server) => Ok(server),
        Err(reason) => {
            container::start(settings).await.map_err(|second_reason| format!("{reason}\n{second_reason}"))
        }
    }
}

async fn local(settings: &Settings) -> Result<ThrowawayServer, String> {
    let programs = search::programs(settings).await?;
    let mut reasons = Vec::new();
    for program in &programs {
        match program::start(program, Source::Local, settings).await {
            Ok(server) => return Ok(server),
            Err(reason) => reasons.push(format!("{}: {reason}", program.name)),
        }
    }
    Err(reasons.join("\n"))
}

async fn unpacked(settings: &Settings) -> Result<ThrowawayServer, String> {
    packages::check_tools()?;
    let mut reasons = Vec::new();
    for flavour in settings.flavours() {
        let started = match packages::program(flavour, settings).await {
            Ok(program) => program::start(&program, Source::Packages, settings).await,
            Err(reason) => Err(reason),
        };
        match started {
            Ok(server) => return Ok(server),
            Err(reason) => reasons.push(format!("{flavour}: {reason}")),
        }
    }
    Err(reasons.join("\n"))
}
