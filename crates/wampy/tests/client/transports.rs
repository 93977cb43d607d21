//! Every URL scheme with every serializer.

use std::path::PathBuf;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use wampy::proto::Serializer;
use wampy::router::BoundAddress;
use wampy::{Builder, Client, Error, Invocation, IpVersion, Router};

use crate::authority::Authority;
use crate::fixture::{router, router_at, within};

/// A directory of this test run, removed at the end.
struct TestDirectory(PathBuf);

impl TestDirectory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wampy-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for TestDirectory {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Calls and publishes over `builder`, once for each serializer.
async fn exercise(builder: Builder) {
    for serializer in Serializer::ALL {
        let client = builder
            .clone()
            .serializer(serializer)
            .connect()
            .await
            .unwrap();
        assert_eq!(client.serializer(), serializer);
        let mut events = client.subscribe("com.example").await.unwrap();
        let registration = client
            .register("com.example.reverse", async |invocation: Invocation| {
                let (text,): (String,) = invocation.args()?;
                Ok(text.chars().rev().collect::<String>())
            })
            .await
            .unwrap();
        let result = client
            .call("com.example.reverse")
            .args(("wämpy",))
            .await
            .unwrap();
        assert_eq!(result.value::<String>().unwrap(), "ypmäw");
        let big = "x".repeat(300_000);
        client
            .publish("com.example")
            .args((&big, 1.5, -3))
            .exclude_me(false)
            .await
            .unwrap();
        let event = events.next().await.unwrap();
        assert_eq!(event.args::<(String, f64, i64)>().unwrap(), (big, 1.5, -3));
        registration.unregister().await.unwrap();
        client.close().await.unwrap();
    }
}

fn tcp_url(router: &Router, scheme: &str) -> String {
    router.url().replacen("ws://", &format!("{scheme}://"), 1)
}

#[tokio::test]
async fn ws_and_rs() {
    within(async {
        let router = router().await;
        exercise(Client::builder(tcp_url(&router, "ws"))).await;
        exercise(Client::builder(tcp_url(&router, "rs"))).await;
        exercise(Client::builder(tcp_url(&router, "ws") + "/any/path?q=1")).await;
    })
    .await;
}

#[tokio::test]
async fn batches_are_preferred_only_if_wanted() {
    within(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        for (batched, offered) in [
            (false, "wamp.2.cbor, wamp.2.json"),
            (
                true,
                "wamp.2.cbor.batched, wamp.2.json.batched, wamp.2.cbor, wamp.2.json",
            ),
        ] {
            let builder = Client::builder(url.as_str())
                .serializers([Serializer::Cbor, Serializer::Json])
                .batched(batched);
            let connecting = tokio::spawn(builder.connect());
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let request = String::from_utf8(request).unwrap();
            let header = format!("Sec-WebSocket-Protocol: {offered}\r\n");
            assert!(request.contains(&header), "{request}");
            drop(stream);
            connecting.await.unwrap().unwrap_err();
        }
    })
    .await;
}

#[tokio::test]
async fn batched_websockets() {
    within(async {
        let router = router().await;
        exercise(Client::builder(tcp_url(&router, "ws")).batched(true)).await;
        let router = Router::builder().listen("127.0.0.1:0").compress(true);
        let router = router.start().await.unwrap();
        let builder = Client::builder(tcp_url(&router, "ws")).batched(true);
        exercise(builder.compress(true)).await;
    })
    .await;
}

#[tokio::test]
async fn long_polling() {
    within(async {
        let router = router().await;
        exercise(Client::builder(tcp_url(&router, "http"))).await;
        exercise(Client::builder(tcp_url(&router, "http") + "lp/")).await;
        exercise(Client::builder(tcp_url(&router, "http")).batched(true)).await;
        // Many calls at once, and the end of the router in the middle.
        let client = Client::builder(tcp_url(&router, "http")).connect().await;
        let client = client.unwrap();
        let register = client.register("com.example.echo", async |invocation: Invocation| {
            let (number,): (u32,) = invocation.args()?;
            Ok(number)
        });
        let _registration = register.await.unwrap();
        let calls = (0..100).map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                let result = client.call("com.example.echo").args((number,)).await;
                assert_eq!(result.unwrap().value::<u32>().unwrap(), number);
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap();
        }
        router.shutdown().await;
        client.call("com.example.echo").await.unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn a_host_that_does_no_long_polling_is_a_clear_error() {
    within(async {
        let router = Router::builder().listen("127.0.0.1:0").longpoll(false);
        let router = router.start().await.unwrap();
        let error = Client::connect(tcp_url(&router, "http")).await.unwrap_err();
        assert!(error.to_string().contains("HTTP 404"), "{error}");
        let router = Router::builder().listen("127.0.0.1:0");
        let router = router
            .serializers([Serializer::Json])
            .start()
            .await
            .unwrap();
        let client = Client::builder(tcp_url(&router, "http")).serializer(Serializer::Cbor);
        let error = client.connect().await.unwrap_err();
        assert!(
            error.to_string().contains("It supports: wamp.2.json"),
            "{error}"
        );
    })
    .await;
}

#[tokio::test]
async fn localhost_over_each_version_of_ip() {
    within(async {
        let router = router_at("localhost:0").await;
        let url = router.url();
        let port = url.trim_end_matches('/').rsplit(':').next().unwrap();
        let url = format!("ws://localhost:{port}");
        Client::connect(url.as_str())
            .await
            .unwrap()
            .close()
            .await
            .unwrap();
        let client = Client::builder(url)
            .ip_version(IpVersion::V4)
            .connect()
            .await
            .unwrap();
        client.close().await.unwrap();
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn unix_sockets() {
    within(async {
        let directory = TestDirectory::new("unix");
        let path = directory.0.join("router.sock");
        let router = router_at(&format!("unix:{}", path.display())).await;
        exercise(Client::builder(format!("unix://{}", path.display()))).await;
        exercise(Client::builder(format!("ws+unix://{}", path.display()))).await;
        router.shutdown().await;
        let error = Client::connect(format!("unix://{}", path.display()))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("router.sock"), "{error}");
    })
    .await;
}

/// A router that speaks TLS: its port, and the authority to trust.
async fn tls_router() -> (Router, u16, Authority) {
    let authority = Authority::new();
    let signed = authority.sign("router", &["localhost", "127.0.0.1"]);
    let builder = Router::builder().listen("localhost:0");
    let builder = builder.tls(signed.certificate_file, signed.key_file);
    let router = builder.start().await.unwrap();
    let port = router.addresses().iter().find_map(|address| match address {
        BoundAddress::Tls(address) => Some(address.port()),
        _ => None,
    });
    (router, port.unwrap(), authority)
}

#[tokio::test]
async fn wss_and_rss() {
    within(async {
        let (router, port, authority) = tls_router().await;
        let ca_file = authority.file("ca.pem");
        for host in ["localhost", "127.0.0.1"] {
            for scheme in ["wss", "rss", "https"] {
                let url = format!("{scheme}://{host}:{port}");
                exercise(Client::builder(url).ca_file(&ca_file)).await;
            }
        }
        router.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_certificate_of_nobody_trusted_is_refused() {
    within(async {
        let router = router().await;
        let (_tls_router, port, authority) = tls_router().await;
        let url = format!("wss://127.0.0.1:{port}");
        let error = Client::connect(url.as_str()).await.unwrap_err();
        assert!(matches!(error, Error::Connect { .. }), "{error:?}");
        assert!(
            error.to_string().contains("no authority that is trusted"),
            "{error}"
        );
        let plain = router.url().replacen("ws:", "wss:", 1);
        let error = Client::connect(plain.as_str()).await.unwrap_err();
        assert!(error.to_string().contains("speaks no TLS"), "{error}");

        let missing = authority.file("missing.pem");
        let error = Client::builder(url.as_str())
            .ca_file(&missing)
            .connect()
            .await
            .unwrap_err();
        assert!(error.to_string().contains("missing.pem"), "{error}");
        std::fs::write(&missing, "nothing").unwrap();
        let error = Client::builder(url)
            .ca_file(missing)
            .connect()
            .await
            .unwrap_err();
        assert!(error.to_string().contains("no PEM certificate"), "{error}");

        // TLS to a port that speaks none.
        let plain = tcp_url(&router, "wss");
        let error = Client::connect(plain).await.unwrap_err();
        assert!(matches!(error, Error::Connect { .. }), "{error:?}");

        // And the other way round.
        let error = Client::connect(format!("ws://127.0.0.1:{port}")).await;
        assert!(error.unwrap_err().to_string().contains("400"));
    })
    .await;
}

#[tokio::test]
async fn urls_and_realms_that_lead_nowhere_are_clear_errors() {
    within(async {
        let error = Client::connect("tcp://localhost").await.unwrap_err();
        assert!(matches!(error, Error::Misuse { .. }), "{error:?}");
        assert!(error.to_string().contains("did you mean rs"), "{error}");
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", free.local_addr().unwrap());
        drop(free);
        let error = Client::connect(url.as_str()).await.unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with(&format!("cannot connect to {url}")),
            "{error}"
        );
        assert!(error.to_string().contains("refused"), "{error}");
        let router = router().await;
        let error = Client::builder(router.url())
            .realm("nowhere")
            .connect()
            .await
            .unwrap_err();
        assert_eq!(error.uri(), Some("wamp.error.no_such_realm"));
    })
    .await;
}
