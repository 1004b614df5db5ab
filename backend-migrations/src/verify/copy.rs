//! Makes a state again: as a copy where that comes out the same, else as the original.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Job,
    tenant::{Mould, Tenant},
};
use crate::{
    apply::ApplyError,
    migration::{Migration, Version},
    scratch::ScratchError,
};

/// How a state was made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remade {
    /// As a copy, from its own `SHOW CREATE`.
    Copied,
    /// By applying all migrations before it once more: a copy would not have been the same.
    Replayed,
}

impl Remade {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Copied => "a copy of it",
            Self::Replayed => "applying all migrations before it again",
        }
    }
}

/// Gives tenants in the states that a set goes through.
#[derive(Debug)]
pub(super) struct Remaker<'a> {
    job: Job<'a>,
    migrations: &'a [Arc<Migration>],
    mould: Option<Mould>,
}

impl<'a> Remaker<'a> {
    pub(super) fn new(job: Job<'a>, migrations: &'a [Arc<Migration>]) -> Self {
        Self { job, migrations, mould: None }
    }

    /// A tenant that has the first `n` migrations, without those in `skipped`; or why one of them cannot be applied.
    pub(super) async fn tenant_at(
        &mut self,
        n: usize,
        skipped: &BTreeSet<Version>,
    ) -> Result<Result<(Tenant, Remade), Box<ApplyError>>, ScratchError> {
        if let Some(ahead) = self.mould.take_if(|mould| mould.n_applied() > n) {
            ahead.into_tenant().remove().await?;
        }
        let mut mould = match self.mould.take() {
            Some(mould) => mould,
            None => Mould::create(self.job).await?,
        };
        if let Err(error) = mould.advance(self.migrations, n, |m| skipped.contains(&m.version)).await? {
            mould.into_tenant().remove().await?;
            return Ok(Err(Box::new(error)));
        }
        let original = mould.tenant().snapshot().await?;
        let mut copy = Tenant::create(self.job).await?;
        let database = mould.tenant().scratch.label().database.clone();
        let is_copied = copy.scratch.inspector().copy(&original, &database).await.is_ok();
        if is_copied && copy.snapshot().await? == original {
            self.mould = Some(mould);
            return Ok(Ok((copy, Remade::Copied)));
        }
        copy.remove().await?;
        Ok(Ok((mould.into_tenant(), Remade::Replayed)))
    }

    pub(super) async fn close(self) -> Result<(), ScratchError> {
        match self.mould {
            Some(mould) => mould.into_tenant().remove().await,
            None => Ok(()),
        }
    }
}
