//! Other settings for a router that runs.
//!
//! What concerns realms counts at once, for sessions that stand as well: policies, limits, roles and
//! users. What concerns connections counts for those that come later ([`Terms`]), also certificates,
//! which are read again. The rest cannot change before the router starts anew: it is named in
//! [`Reloaded`]. Deliberately absent: ending a realm, and listening elsewhere.

use std::path::PathBuf;

use tokio::runtime::Handle;
use wampy_transport::ListenAddress;

use crate::authenticator::keep_fresh;
use crate::builder::{Builder, Checked};
use crate::error::StartError;
use crate::http::cookies::{CookieConfig, CookiePorts};
use crate::limits::Limits;
use crate::router::Router;
use crate::settings::Methods;
use crate::terms::Terms;

/// What became of other settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reloaded {
    /// The settings that differ and have to wait for the router's next start, by the names that they
    /// have in the configuration file. The router goes on with what it has.
    pub needs_restart: Vec<String>,
}

/// What cannot be changed while a router runs.
#[derive(Debug)]
pub(crate) struct Fixed {
    listen: Vec<(ListenAddress, Methods)>,
    has_tls: bool,
    store: Option<PathBuf>,
    cookie: Option<CookieConfig>,
    cookie_ports: CookiePorts,
    limits: Limits,
}

impl Fixed {
    pub(crate) fn of(checked: &Checked) -> Self {
        let builder = &checked.builder;
        Self {
            listen: checked.listen.clone(),
            has_tls: checked.tls.is_some(),
            store: builder.store.clone(),
            cookie: builder.cookie.clone(),
            // The addresses were parsed before.
            cookie_ports: builder.cookie_ports().unwrap_or(CookiePorts::Tls),
            limits: builder.limits.clone(),
        }
    }

    /// Why the cookie that the router sets until its end cannot be along with other settings.
    fn cookie_problem(&self, checked: &Checked) -> Option<String> {
        let cookie = self.cookie.as_ref()?;
        let problem = cookie.problem(checked.origins.are_any(), self.cookie_ports)?;
        Some(format!("{problem}; that cookie is set until a restart"))
    }

    /// What is different in `other`.
    fn differences(&self, other: &Self) -> Vec<String> {
        let (mine, its) = (&self.limits, &other.limits);
        let differ = [
            ("listen", self.listen != other.listen),
            ("tls", self.has_tls != other.has_tls),
            ("store", self.store != other.store),
            ("cookie", self.cookie != other.cookie),
            ("limits.busy_poll_us", mine.busy_poll_us != its.busy_poll_us),
            (
                "limits.outbound_bytes_max",
                mine.outbound_bytes_max != its.outbound_bytes_max,
            ),
            (
                "limits.store_queue_bytes_max",
                mine.store_queue_bytes_max != its.store_queue_bytes_max,
            ),
            ("limits.cookies_max", mine.cookies_max != its.cookies_max),
            (
                "limits.authentication_failures_free",
                mine.authentication_failures_free != its.authentication_failures_free,
            ),
            (
                "limits.authentication_delay_ms_max",
                mine.authentication_delay_ms_max != its.authentication_delay_ms_max,
            ),
            (
                "limits.authentication_failure_forgotten_ms",
                mine.authentication_failure_forgotten_ms != its.authentication_failure_forgotten_ms,
            ),
            (
                "limits.authentication_failures_remembered_max",
                mine.authentication_failures_remembered_max
                    != its.authentication_failures_remembered_max,
            ),
        ];
        let differ = differ.into_iter().filter(|(_, differs)| *differs);
        differ.map(|(name, _)| name.to_owned()).collect()
    }
}

impl Router {
    /// Refuses settings that open a realm by leaving something out.
    fn check_silence(&self, checked: &Checked) -> Result<(), StartError> {
        for settings in &checked.builder.realms {
            let hosted = self.shared.realms.hosted_access(&settings.name);
            let opened = hosted.and_then(|access| access.opened_by(settings.silence));
            if let Some((key, instead)) = opened {
                return Err(StartError::Opened {
                    realm: settings.name.clone(),
                    key,
                    instead,
                });
            }
        }
        Ok(())
    }

    /// Goes on with the settings of `builder`, which stand instead of those with which the router was
    /// started, as far as they can change while it runs:
    ///
    /// - At once, for sessions that stand as well: the realms' policies, limits and roles (what is not
    ///   allowed any more is revoked, as by [`set_roles`](Self::set_roles)), and who may join. Sessions
    ///   are not ended. New realms come into being.
    /// - For connections that come later: limits, serializers, compression, origins, long-polling,
    ///   leniencies, and certificates, which are read again.
    ///
    /// What has to wait for the next start is named in the result. Needs the router's runtime.
    ///
    /// # Errors
    /// [`StartError`] says what is wrong with the settings. Nothing has changed then.
    pub fn reload(&self, builder: Builder) -> Result<Reloaded, StartError> {
        if Handle::try_current().is_err() {
            return Err(StartError::NoRuntime);
        }
        let checked = builder.checked()?;
        // One after the other.
        let mut users = self.users.lock();
        if let Some(problem) = self.fixed.cookie_problem(&checked) {
            return Err(StartError::Cookie(problem));
        }
        self.check_silence(&checked)?;
        let mut needs_restart = self.fixed.differences(&Fixed::of(&checked));
        let Checked {
            builder,
            mut tls,
            origins,
            realms,
            template,
            ..
        } = checked;
        let auto_created_max = builder.auto_created_max();
        let shared = &self.shared;
        needs_restart.extend(shared.realms.reload(&realms, template, auto_created_max)?);
        if self.fixed.has_tls != tls.is_some() {
            // Listeners that speak TLS go on with what they have.
            tls = shared.terms().tls.clone();
        }
        let terms = Terms::new(&builder, tls, origins);
        let poll_ms = terms.limits.users_file_poll_ms;
        shared.set_terms(terms);
        // Realms that go only with the next start still have their users.
        let accesses = shared.realms.accesses();
        let again = tokio::spawn(keep_fresh(accesses, poll_ms));
        std::mem::replace(&mut *users, again).abort();
        Ok(Reloaded { needs_restart })
    }
}
