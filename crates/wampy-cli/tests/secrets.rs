//! The commands that make keys and hash secrets, as scripts use them.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use wampy::proto::auth::{CraCredential, PrivateKey, ScramCredential};

fn wampy(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wampy"));
    command.args(args).stdin(Stdio::null());
    command
}

fn hash_secret(args: &[&str], secret: &[u8]) -> Output {
    let mut command = wampy(&[&["hash-secret"], args].concat());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(secret);
    child.wait_with_output().unwrap()
}

/// The inline table behind `key`, as JSON.
fn table(output: &Output, key: &str) -> String {
    assert!(output.status.success(), "{output:?}");
    let line = String::from_utf8(output.stdout.clone()).unwrap();
    let fields = line
        .trim_end()
        .strip_prefix(&format!("{key} = {{ "))
        .and_then(|rest| rest.strip_suffix(" }"))
        .unwrap_or_else(|| panic!("{line}"));
    let fields: Vec<_> = fields
        .split(", ")
        .map(|field| {
            let (key, value) = field.split_once(" = ").unwrap();
            format!("{key:?}: {value}")
        })
        .collect();
    format!("{{{}}}", fields.join(", "))
}

fn stderr(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

struct KeyFile(PathBuf);

impl KeyFile {
    fn new(name: &str) -> Self {
        let name = format!("wampy-cli-{}-{name}.key", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn keygen_makes_a_key_that_only_its_owner_can_read() {
    let file = KeyFile::new("keygen");
    let output = wampy(&["keygen", file.name()]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let key = PrivateKey::from_file_contents(&std::fs::read(file.path()).unwrap()).unwrap();
    let public = format!("{}\n", key.public_key());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), public);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    let again = wampy(&["keygen", "--public", file.name()])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(again.stdout).unwrap(), public);
    let another = wampy(&["keygen", file.name()]).output().unwrap();
    assert_eq!(another.status.code(), Some(1), "a key is never overwritten");
    let kept = PrivateKey::from_file_contents(&std::fs::read(file.path()).unwrap()).unwrap();
    assert_eq!(kept.public_key(), key.public_key());
}

#[test]
fn hash_secret_prints_what_the_configuration_may_hold() {
    for kdf in ["argon2id13", "argon2id-13"] {
        let output = hash_secret(&["--kdf", kdf], b"pencil\n");
        let stored: ScramCredential = serde_json::from_str(&table(&output, "scram")).unwrap();
        let derivation = stored.derivation.clone();
        assert_eq!(derivation.kdf.as_str(), kdf);
        assert_eq!((derivation.iterations, derivation.memory_kib), (2, 19456));
        let made_again = ScramCredential::new(&"pencil".into(), derivation).unwrap();
        assert!(
            stored == made_again,
            "the end of the line is no part of the secret"
        );
    }
    let output = hash_secret(&["--kdf", "pbkdf2", "--iterations", "5000"], b"pencil");
    let stored: ScramCredential = serde_json::from_str(&table(&output, "scram")).unwrap();
    assert_eq!(stored.derivation.iterations, 5000);

    let args = ["--method", "wampcra", "--iterations", "1000"];
    let output = hash_secret(&args, b"pencil\r\n");
    let stored: CraCredential = serde_json::from_str(&table(&output, "wampcra")).unwrap();
    let salting = stored.salting.clone().unwrap();
    assert!(stored == CraCredential::salted(&"pencil".into(), salting).unwrap());
    let another = hash_secret(&args, b"pencil\r\n");
    assert_ne!(output.stdout, another.stdout, "each has a salt of its own");
}

#[test]
fn hash_secret_refuses_what_makes_no_sense() {
    assert!(stderr(&hash_secret(&[], b"\n")).contains("the secret is empty"));
    let long = vec![b'x'; (64 << 10) + 1];
    assert!(stderr(&hash_secret(&[], &long)).contains("more than 65536 bytes"));
    let cheap = ["--kdf", "pbkdf2", "--iterations", "4095"];
    assert!(stderr(&hash_secret(&cheap, b"x")).contains("suspiciously cheap"));
    let dear = ["--memory", "4294967296"];
    assert!(stderr(&hash_secret(&dear, b"x")).contains("too expensive"));
    assert!(stderr(&hash_secret(&["--kdf", "md5"], b"x")).contains("argon2id-13"));
    let forbidden = hash_secret(&["--kdf", "pbkdf2"], b"a\x07b");
    assert!(stderr(&forbidden).contains("SASLprep"));
}

#[test]
fn secrets_of_the_environment_are_not_shown_and_need_a_user() {
    let mut command = wampy(&["call", "--help"]);
    command
        .env("WAMPY_SECRET", "hunter2")
        .env("WAMPY_TICKET", "hunter3");
    let output = command.output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(
        help.contains("WAMPY_SECRET") && !help.contains("hunter"),
        "{help}"
    );

    let mut command = wampy(&["call", "a.b"]);
    let output = command.env("WAMPY_SECRET", "hunter2").output().unwrap();
    let error = stderr(&output);
    assert!(
        error.contains("--authid") && !error.contains("hunter"),
        "{error}"
    );
}
