//! Cookies of the router: who has authenticated once is known again.

use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use wampy::auth::{Scram, Ticket};
use wampy::proto::auth::Credentials;
use wampy::router::{
    Authentication, Builder as RouterBuilder, CookieConfig, Method, RealmSettings, User,
};
use wampy::{Builder, Client, CookieJar, Error, Reconnect, Router};

use crate::fixture::{until, within};

/// A router that lets joe in by ticket, by cookie, and others as nobody.
fn settings(ticket: &str) -> RouterBuilder {
    let joe = User::new("joe", "user").credentials(Credentials {
        ticket: Some(ticket.into()),
        ..Credentials::default()
    });
    let methods = [Method::Cookie, Method::Ticket, Method::Anonymous];
    let realm = RealmSettings::new("realm1");
    Router::builder()
        .listen("127.0.0.1:0")
        .cookie(CookieConfig::default())
        .realm_with(realm.authentication(Authentication::by(methods).user(joe)))
}

/// A router, and joe, whom it knows by the cookie in his jar from now on.
async fn joe_at_router() -> (Router, Client, CookieJar) {
    let router = settings("secret!!!").start().await.unwrap();
    let (jar, ticket) = (CookieJar::new(), Ticket::new("joe", "secret!!!"));
    let joe = client(&router.url(), &jar).auth(ticket);
    let joe = joe.connect().await.unwrap();
    (router, joe, jar)
}

fn client(url: &str, jar: &CookieJar) -> Builder {
    Client::builder(url).cookies(jar.clone())
}

fn who(client: &Client) -> (String, String) {
    let welcome = client.welcome();
    let details = &welcome.details;
    let text = |it: Option<&str>| it.unwrap_or_default().to_owned();
    (
        text(details.authmethod.as_deref()),
        text(details.authid.as_deref()),
    )
}

fn joe_by(method: &str) -> (String, String) {
    (method.to_owned(), "joe".to_owned())
}

/// A line to the router at `url` that is cut when told so: its own URL.
async fn line_to(url: &str, cut: Arc<Notify>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let line = format!("ws://{}", listener.local_addr().unwrap());
    let router = url
        .trim_start_matches("ws://")
        .trim_end_matches('/')
        .to_owned();
    tokio::spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = TcpStream::connect(&router).await.unwrap();
            let cut = Arc::clone(&cut);
            tokio::spawn(async move {
                let is_cut = cut.notified();
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    () = is_cut => {}
                }
            });
        }
    });
    line
}

#[tokio::test]
async fn a_client_is_known_again_by_its_cookie_over_every_transport() {
    within(async {
        let router = settings("secret!!!").start().await.unwrap();
        for scheme in ["ws", "http"] {
            let url = router.url().replacen("ws", scheme, 1);
            let jar = CookieJar::new();
            let ticket = Ticket::new("joe", "secret!!!");
            let first = client(&url, &jar).auth(ticket).connect().await.unwrap();
            assert_eq!(who(&first), joe_by("ticket"), "{scheme}");
            assert_eq!(jar.len(), 1);
            // Nothing else is needed now, and a wrong ticket is not even asked for.
            let again = client(&url, &jar).connect().await.unwrap();
            assert_eq!(who(&again), joe_by("cookie"), "{scheme}");
            let wrong = Ticket::new("joe", "wrong");
            let wrong = client(&url, &jar).auth(wrong).connect().await.unwrap();
            assert_eq!(who(&wrong), joe_by("cookie"), "{scheme}");
            // The cookie of one jar is nothing to another.
            let other = client(&url, &CookieJar::new()).connect().await.unwrap();
            assert_eq!(who(&other).0, "anonymous", "{scheme}");
            router.forget_cookies("realm1", "joe");
            let forgotten = client(&url, &jar).connect().await.unwrap();
            assert_eq!(who(&forgotten).0, "anonymous", "{scheme}");
            for client in [first, again, wrong, other, forgotten] {
                client.close().await.unwrap();
            }
        }
        router.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_client_reconnects_by_its_cookie_without_its_ticket() {
    within(async {
        let (router, first, jar) = joe_at_router().await;
        let cut = Arc::new(Notify::new());
        let weak_line = line_to(&router.url(), Arc::clone(&cut)).await;
        let joe = client(&weak_line, &jar)
            .auth(Ticket::new("joe", "wrong"))
            .reconnect(Reconnect::default());
        let joe = joe.connect().await.unwrap();
        let before = joe.session_id();
        let fresh = client(&router.url(), &CookieJar::new()).auth(Ticket::new("joe", "wrong"));
        let refused = fresh.connect().await.unwrap_err();
        assert!(matches!(refused, Error::Aborted { .. }), "{refused}");
        cut.notify_waiters();
        until(async || joe.session_id() != before).await;
        assert_eq!(who(&joe), joe_by("cookie"));
        for client in [first, joe] {
            client.close().await.unwrap();
        }
        router.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_cookie_is_not_good_for_a_ticket_that_was_changed() {
    within(async {
        let (router, joe, jar) = joe_at_router().await;
        router.reload(settings("new")).unwrap();
        let nobody = client(&router.url(), &jar).connect().await.unwrap();
        assert_eq!(who(&nobody).0, "anonymous");
        let old = client(&router.url(), &jar).auth(Ticket::new("joe", "secret!!!"));
        let refused = old.connect().await.unwrap_err();
        assert!(matches!(refused, Error::Aborted { .. }), "{refused}");
        let new = client(&router.url(), &jar).auth(Ticket::new("joe", "new"));
        let new = new.connect().await.unwrap();
        assert_eq!(who(&new), joe_by("ticket"));
        for client in [joe, nobody, new] {
            client.close().await.unwrap();
        }
        router.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn a_jar_can_be_filled_by_the_program_and_a_header_counts_instead() {
    within(async {
        let (router, first, jar) = joe_at_router().await;
        let url = router.url();
        let kept = jar.for_host("127.0.0.1", false).unwrap();
        let filled = CookieJar::new();
        filled.insert("127.0.0.1", &kept);
        let again = client(&url, &filled).connect().await.unwrap();
        assert_eq!(who(&again), joe_by("cookie"));
        let with_header = client(&url, &filled).header("Cookie", "wampy=other");
        let other = with_header.connect().await.unwrap();
        assert_eq!(who(&other).0, "anonymous");
        for client in [first, again, other] {
            client.close().await.unwrap();
        }
        router.shutdown().await;
    })
    .await;
}

#[tokio::test]
async fn who_wants_a_proof_of_the_router_offers_no_cookie() {
    within(async {
        let (router, first, jar) = joe_at_router().await;
        let url = router.url();
        // The realm has no SCRAM: by the cookie alone it would let the client in.
        let scram = client(&url, &jar).auth(Scram::new("joe", "secret!!!"));
        let refused = scram.connect().await.unwrap_err();
        assert!(matches!(refused, Error::Aborted { .. }), "{refused}");
        first.close().await.unwrap();
        router.shutdown().await;
    })
    .await;
}
