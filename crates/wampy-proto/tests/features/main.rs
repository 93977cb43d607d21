//! `docs/features.md` keeps its word: what it says is announced comes from the table of features itself,
//! and what is announced has a test on each side that announces it.
//!
//! `WRITE_FEATURES=1 cargo test -p wampy-proto --test features` writes the page anew. The rows are in
//! `table`. Deliberately absent: whether the named tests pass; running them does that.

// What must hold is checked by unwrapping it.
#![allow(clippy::unwrap_used)]

mod table;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use table::{BEYOND, FEATURES, Row};
use wampy_proto::{Feature, Role};

/// A side of the protocol that announces features, and where its tests are.
struct Side {
    name: &'static str,
    roles: &'static [Role],
    tests: fn(&Row) -> &'static [&'static str],
    folders: &'static [&'static str],
}

const SIDES: [Side; 3] = [
    Side {
        name: "Router",
        roles: &Role::ROUTER,
        tests: |row| row.router,
        folders: &[
            "crates/wampy-realm",
            "crates/wampy-router",
            "crates/wampy-cli",
        ],
    },
    Side {
        name: "Rust client",
        roles: &Role::CLIENT,
        tests: |row| row.rust,
        folders: &["crates/wampy"],
    },
    Side {
        name: "Python client",
        roles: &Role::CLIENT,
        tests: |row| row.python,
        folders: &["python/tests", "interop"],
    },
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All Rust and Python sources below a folder, one after the other.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().unwrap_or_default().to_owned();
        if path.is_dir() && !path.ends_with("node_modules") {
            sources(&path, text);
        } else if extension == "rs" || extension == "py" {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// The names that no function below the side's folders has.
fn missing(side: &Side, names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut text = String::new();
    for folder in side.folders {
        sources(&root().join(folder), &mut text);
    }
    names
        .filter(|name| {
            !text.contains(&format!("fn {name}(")) && !text.contains(&format!("def {name}("))
        })
        .collect()
}

fn announced(feature: Feature, side: &Side) -> bool {
    side.roles.iter().any(|&role| feature.announced_by(role))
}

#[test]
fn every_feature_has_a_row() {
    let rows: Vec<Feature> = FEATURES.iter().map(|row| row.feature.unwrap()).collect();
    assert_eq!(
        rows,
        Feature::ALL,
        "one row for each feature, in their order"
    );
}

#[test]
fn what_is_announced_is_tested_and_what_is_tested_is_announced() {
    for side in &SIDES {
        for row in FEATURES {
            let feature = row.feature.unwrap();
            assert_eq!(
                announced(feature, side),
                !(side.tests)(row).is_empty(),
                "{}: {} is announced, or has tests, but not both",
                side.name,
                feature.as_str()
            );
        }
    }
}

#[test]
fn every_test_named_exists() {
    for side in &SIDES {
        let rows = FEATURES.iter().chain(BEYOND);
        let names = rows.flat_map(|row| (side.tests)(row).iter().copied());
        let missing = missing(side, names);
        assert!(
            missing.is_empty(),
            "{}: no such tests: {missing:?}",
            side.name
        );
    }
}

/// The roles of a side that announce a feature.
fn roles(feature: Feature, side: &Side) -> String {
    let roles: Vec<_> = side
        .roles
        .iter()
        .filter(|&&role| feature.announced_by(role))
        .map(|role| role.as_str())
        .collect();
    if roles.is_empty() {
        "–".to_owned()
    } else {
        roles.join(", ")
    }
}

fn page() -> String {
    let mut page = String::from(table::INTRODUCTION);
    page.push_str("\n| feature | in the specification | router | Rust client | Python client |\n|---|---|---|---|---|\n");
    for row in FEATURES {
        let feature = row.feature.unwrap();
        let cells: Vec<_> = SIDES.iter().map(|side| roles(feature, side)).collect();
        let cells = cells.join(" | ");
        writeln!(
            page,
            "| {} (`{}`) | {} | {cells} |",
            row.name,
            feature.as_str(),
            row.status
        )
        .unwrap();
    }
    page.push_str("\n## What has no key of its own\n\n| what | in the specification | router | Rust client | Python client |\n|---|---|---|---|---|\n");
    for row in BEYOND {
        let has = |side: &Side| {
            if (side.tests)(row).is_empty() {
                "–"
            } else {
                "yes"
            }
        };
        let cells: Vec<_> = SIDES.iter().map(has).collect();
        writeln!(
            page,
            "| {} | {} | {} |",
            row.name,
            row.status,
            cells.join(" | ")
        )
        .unwrap();
    }
    page.push_str(table::LEFT_OUT);
    page
}

#[test]
fn the_page_says_what_the_tables_say() {
    let path = root().join("docs/features.md");
    let page = page();
    if std::env::var_os("WRITE_FEATURES").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(written, page, "`make features` writes the page anew");
}
