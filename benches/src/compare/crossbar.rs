//! The configuration of a Crossbar.io node for the comparison: one router worker, one realm, everybody
//! may do everything, no disclosure, one transport of each kind, and otherwise its defaults.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Writes the node directory.
pub fn write_node(
    directory: &Path,
    websocket: SocketAddr,
    rawsocket: SocketAddr,
) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    fs::write(
        directory.join("config.json"),
        config(websocket, rawsocket).to_string(),
    )
}

/// The command that runs the node.
pub fn command(crossbar: &Path, directory: &Path) -> Command {
    let mut command = Command::new(crossbar);
    command.arg("start").arg("--cbdir").arg(directory);
    command
}

fn config(websocket: SocketAddr, rawsocket: SocketAddr) -> Value {
    let endpoint = |address: SocketAddr| json!({"type": "tcp", "interface": address.ip().to_string(), "port": address.port()});
    let anonymous = json!({"anonymous": {"type": "static", "role": "anonymous"}});
    json!({
        "version": 2,
        "controller": {},
        "workers": [{
            "type": "router",
            "realms": [{"name": "realm1", "roles": [{"name": "anonymous", "permissions": [{
                "uri": "",
                "match": "prefix",
                "allow": {"call": true, "register": true, "publish": true, "subscribe": true},
                "disclose": {"caller": false, "publisher": false},
                "cache": true
            }]}]}],
            "transports": [
                {"type": "websocket", "id": "websocket1", "endpoint": endpoint(websocket),
                 "serializers": ["json", "msgpack", "cbor"], "auth": anonymous},
                {"type": "rawsocket", "id": "rawsocket1", "endpoint": endpoint(rawsocket),
                 "serializers": ["json", "msgpack", "cbor"], "auth": anonymous}
            ]
        }]
    })
}

/// Versions of Crossbar.io and of what it stands on.
pub fn version(crossbar: &Path) -> Option<String> {
    const SCRIPT: &str = "import sys, importlib.metadata as m; v = m.version; \
         print(f\"Crossbar.io {v('crossbar')} (autobahn {v('autobahn')}, Twisted {v('twisted')}, \
         {sys.implementation.name} {sys.version.split()[0]})\")";
    let python = crossbar.with_file_name("python");
    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
