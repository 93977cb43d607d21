//! The table `WIRE_CHECKS.md` keeps its word: every check has a row, and every test named exists.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

const CHECKS: usize = 101;

/// All Rust sources below a folder, one after the other.
fn sources(folder: &Path, text: &mut String) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_check_has_a_row_and_every_test_exists() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(crate_folder.join("tests/WIRE_CHECKS.md")).unwrap();
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    assert_eq!(rows.len(), CHECKS);
    let mut texts = HashMap::new();
    for (number, row) in rows.into_iter().enumerate() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells[1], (number + 1).to_string(), "{row}");
        let tests = cells[3];
        assert!(!tests.is_empty(), "{row}");
        for name in tests.split('`').filter(|name| name.contains("::")) {
            let (crate_name, function) = name.split_once("::").unwrap();
            let text = texts.entry(crate_name).or_insert_with(|| {
                let mut text = String::new();
                sources(&crate_folder.join("..").join(crate_name), &mut text);
                text
            });
            let found = text.contains(&format!("fn {function}("));
            assert!(
                found,
                "{name}, named for check {}, does not exist",
                cells[1]
            );
        }
    }
}
