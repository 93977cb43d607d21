//! Compression between our client and the router, measured on the wire between them.

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use wampy::proto::Serializer;
use wampy::{Client, Invocation, Router};

use crate::fixture::within;

/// How much text goes each way.
const TEXT_BYTES: usize = 300_000;

/// A relay to `router` for one connection: its URL, and how many bytes went each way.
async fn relay(router: &Router) -> (String, JoinHandle<(u64, u64)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let address = router.url().replace("ws://", "").replace('/', "");
    let counting = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut router = TcpStream::connect(address).await.unwrap();
        tokio::io::copy_bidirectional(&mut client, &mut router)
            .await
            .unwrap()
    });
    (url, counting)
}

/// Calls a procedure of its own with a large text; how many bytes went to the router and back.
async fn exercise(router: &Router, serializer: Serializer, compress: bool) -> (u64, u64) {
    let (url, counting) = relay(router).await;
    let client = Client::builder(url)
        .serializer(serializer)
        .compress(compress)
        .connect()
        .await
        .unwrap();
    let register = client.register("com.example.echo", async |invocation: Invocation| {
        let (text,): (String,) = invocation.args()?;
        Ok(text)
    });
    let _registration = register.await.unwrap();
    let text = "lorem ipsum ".repeat(TEXT_BYTES / 12);
    let result = client.call("com.example.echo").args((&text,)).await;
    assert_eq!(result.unwrap().value::<String>().unwrap(), text);
    client.close().await.unwrap();
    counting.await.unwrap()
}

#[tokio::test]
async fn large_messages_are_compressed_both_ways_if_both_sides_want_it() {
    within(async {
        for router_compresses in [false, true] {
            let router = Router::builder()
                .listen("127.0.0.1:0")
                .compress(router_compresses)
                .start()
                .await
                .unwrap();
            for serializer in Serializer::ALL {
                for client_compresses in [false, true] {
                    let (sent, received) = exercise(&router, serializer, client_compresses).await;
                    let is_compressed = router_compresses && client_compresses;
                    // A call and a yield go there, an invocation and a result come back.
                    for bytes in [sent, received] {
                        let text_bytes = 2 * TEXT_BYTES as u64;
                        assert_eq!(bytes < text_bytes / 10, is_compressed, "{bytes}");
                        assert_eq!(bytes > text_bytes, !is_compressed, "{bytes}");
                    }
                }
            }
        }
    })
    .await;
}
