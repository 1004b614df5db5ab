//! A backend whose `POST /tenants` makes a tenant and gets it ready.
//!
//! ```sh
//! cargo xtask dev:up                       # a server, and `.env` for it
//! set -a; . ./.env; set +a
//! cargo run --package axum-backend
//! curl -i localhost:8080/tenants -H 'content-type: application/json' -d '{"slug":"new-corp","name":"New Corp"}'
//! ```
//!
//! The request waits until the tenant is ready, which takes as long as its migrations. Repeating a request that failed
//! goes on where it stopped. When the caller goes away half-way, the work is not cut off: it runs in a task of its own.

#![expect(clippy::print_stdout, reason = "an example that says where it listens")]

use std::{env, sync::Arc};

use anyhow::Context as _;
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use backend_migrations::{
    disk,
    fleet::Stop,
    migration::MigrationSet,
    mysql::{MySqlConnector, parse_url},
    provision::{
        NewTenant, ProvisionError, ProvisionErrorKind, Provisioned, Provisioning, Slug, provision_tenant,
    },
    secret::Key,
    session::Limits,
    tenant::Target,
};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

/// What every request works with.
struct Backend {
    central: Target,
    /// May make databases and accounts; here the central database's account may.
    admin: Target,
    key: Key,
    set: MigrationSet,
    connector: MySqlConnector,
    stop: Stop,
}

#[derive(Deserialize)]
struct CreateTenant {
    slug: String,
    name: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let central_url = env::var("CENTRAL_DATABASE_URL").context("CENTRAL_DATABASE_URL is not set")?;
    let admin_url = env::var("TENANT_ADMIN_URL").unwrap_or_else(|_| central_url.clone());
    let migrations = env::var("MIGRATIONS_DIR").unwrap_or_else(|_| "migrations".to_owned());
    let stop = Stop::default();
    let backend = Arc::new(Backend {
        central: parse_url(&central_url, "central").context("CENTRAL_DATABASE_URL")?,
        admin: parse_url(&admin_url, "tenant-admin").context("TENANT_ADMIN_URL")?,
        key: Key::parse(&env::var("DB_ENCRYPTION_KEY").context("DB_ENCRYPTION_KEY is not set")?)?,
        set: disk::load(format!("{migrations}/tenant").as_ref())?,
        connector: MySqlConnector::new(Limits::DEFAULT, stop.hard.clone()),
        stop,
    });
    let app = Router::new().route("/tenants", post(create_tenant)).with_state(Arc::clone(&backend));
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener =
        TcpListener::bind(&address).await.with_context(|| format!("cannot listen on {address}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    let shutdown = async move {
        tokio::signal::ctrl_c().await.ok();
        // A tenant in the making rests between two migrations, and the next request for it goes on there.
        backend.stop.soft.cancel();
    };
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await?;
    Ok(())
}

async fn create_tenant(State(backend): State<Arc<Backend>>, Json(request): Json<CreateTenant>) -> Response {
    let slug = match Slug::parse(&request.slug) {
        Ok(slug) => slug,
        Err(error) => {
            let body = json!({ "error": error.to_string(), "suggestion": error.suggestion });
            return (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response();
        }
    };
    let tenant = NewTenant { slug, name: request.name, id: None, server: None };
    let work = tokio::spawn(async move {
        let provisioning = Provisioning {
            connector: &backend.connector,
            central: &backend.central,
            admin: &backend.admin,
            key: &backend.key,
            set: &backend.set,
            tls: &backend.admin.tls,
            scratch: None,
        };
        // A real backend would log the events; they hold no secret.
        provision_tenant(provisioning, &tenant, &backend.stop, |_| Ok(())).await
    });
    match work.await {
        Ok(result) => answer(result),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn answer(result: Result<Provisioned, ProvisionError>) -> Response {
    match result {
        Ok(Provisioned { was_active: true, label, .. }) => {
            let body = json!({ "error": format!("tenant {:?} exists", label.slug) });
            (StatusCode::CONFLICT, Json(body)).into_response()
        }
        Ok(Provisioned { label, n_migrations, .. }) => {
            let id = label.id.map(|id| id.0);
            let body =
                json!({ "id": id, "slug": label.slug, "status": "ACTIVE", "migrations": n_migrations });
            (StatusCode::CREATED, Json(body)).into_response()
        }
        Err(error) => {
            let status = match error.kind {
                ProvisionErrorKind::InProgress
                | ProvisionErrorKind::NotNew(_)
                | ProvisionErrorKind::Taken(..) => StatusCode::CONFLICT,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            let body = json!({ "error": error.to_string(), "hint": error.hint(), "present": error.present });
            (status, Json(body)).into_response()
        }
    }
}
