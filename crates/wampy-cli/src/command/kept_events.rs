//! `wampy kept-events`: of which realms a store has events, and dropping those of some.
//!
//! Deliberately absent: doing so while a router uses the store.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use wampy_router::StoreContents;

use crate::exit::{Exit, UsageError};
use crate::json;

/// Say of which realms a router's store has events, or drop those of realms that are served no more.
///
/// Each realm is a line of JSON: {"realm": …, "retained": …, "history": …}. No router may use the store
/// meanwhile. Nothing is dropped unless its realm is named.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wampy kept-events /var/lib/wampy
  wampy kept-events /var/lib/wampy --forget com.example.gone")]
pub(crate) struct KeptEvents {
    /// The directory of the store.
    store: PathBuf,
    /// Drop all events of this realm, for good; may be repeated. What was dropped is printed.
    #[arg(long, value_name = "REALM")]
    forget: Vec<String>,
}

impl KeptEvents {
    /// Lists or drops.
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let contents = StoreContents::open(&self.store)?;
        let mut realms = contents.realms()?;
        if !self.forget.is_empty() {
            // All or none: a slip in one name must not leave half of it done.
            let is_there = |name: &&String| realms.iter().any(|realm| realm.name == **name);
            if let Some(missing) = self.forget.iter().find(|name| !is_there(name)) {
                let store = self.store.display();
                let text = format!("the store {store} has no events of the realm {missing:?}");
                return Err(UsageError(text).into());
            }
            realms.retain(|realm| self.forget.contains(&realm.name));
        }
        for realm in realms {
            if !self.forget.is_empty() {
                contents.forget(&realm.name)?;
            }
            let line = serde_json::json!({
                "realm": realm.name,
                "retained": realm.retained_events,
                "history": realm.history_events,
            });
            json::print_line(&line.to_string()).context("cannot say what the store has")?;
        }
        Ok(Exit::Success)
    }
}
