use wampy_proto::Value;
use wampy_proto::auth::{ChannelId, Credential, Cryptosign, Culprit, Means, PrivateKey, PublicKey};

use crate::exchange::{Exchange, Failed, router_key};

/// The specification's test vectors: channel id, private key, challenge, signature.
const VECTORS: [[&str; 4]; 6] = [
    [
        "",
        "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "b32675b221f08593213737bef8240e7c15228b07028e19595294678c90d11c0cae80a357331bfc5cc9fb71081464e6e75013517c2cf067ad566a6b7b728e5d03ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ],
    [
        "",
        "d511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd",
        "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d",
        "d4209ad10d5aff6bfbc009d7e924795de138a63515efc7afc6b01b7fe5201372190374886a70207b042294af5bd64ce725cd8dceb344e6d11c09d1aaaf4d660fb26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d",
    ],
    [
        "",
        "6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b",
        "b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2",
        "7beb282184baadd08f166f16dd683b39cab53816ed81e6955def951cb2ddad1ec184e206746fd82bda075af03711d3d5658fc84a76196b0fa8d1ebc92ef9f30bb05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2",
    ],
    [
        "62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff",
        "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "9b6f41540c9b95b4b7b281c3042fa9c54cef43c842d62ea3fd6030fcb66e70b3e80d49d44c29d1635da9348d02ec93f3ed1ef227dfb59a07b580095c2b82f80f9d16ca518aa0c2b707f2b2a609edeca73bca8dd59817a633f35574ac6fd80d00",
    ],
    [
        "62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff",
        "d511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd",
        "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d",
        "305aaa3ac25e98f651427688b3fc43fe7d8a68a7ec1d7d61c61517c519bd4a427c3015599d83ca28b4c652333920223844ef0725eb5dc2febfd6af7677b73f01d0852a29b460fc92ec943242ac638a053bbacc200512b18b30d15083cbdc9282",
    ],
    [
        "62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff",
        "6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b",
        "b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2",
        "ee3c7644fd8070532bc1fde3d70d742267da545d8c8f03e63bda63f1ad4214f4d2c4bfdb4eb9526def42deeb7e31602a6ff99eba893e0a4ad4d45892ca75e608d2b75e24a189a7f78ca776ba36fc53f6c3e31c32f251f2c524f0a44202f2902d",
    ],
];

fn bytes(hex: &str) -> [u8; 32] {
    std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

#[test]
fn check_88_the_six_vectors_of_the_specification() {
    for [channel, key, challenge, signature] in VECTORS {
        let channel = (!channel.is_empty()).then(|| ChannelId::from(bytes(channel)));
        let key: PrivateKey = key.parse().unwrap();
        let challenge = bytes(challenge);
        assert_eq!(key.sign(&challenge, channel.as_ref()), signature);

        let public = key.public_key();
        assert!(public.has_signed(signature, &challenge, channel.as_ref()));
        assert!(!public.has_signed(signature, &[0; 32], channel.as_ref()));
        let other = ChannelId::from([1; 32]);
        assert!(!public.has_signed(signature, &challenge, Some(&other)));
        for at in [0, 100, 150] {
            let mut forged = signature.to_owned().into_bytes();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(forged).unwrap();
            assert!(!public.has_signed(&forged, &challenge, channel.as_ref()));
        }
    }
}

/// The specification's examples 1 and 2, in which a router proves itself without and with channel
/// binding, and a client whose key is not known.
#[test]
fn check_90_the_routers_of_the_specifications_examples_have_signed() {
    let router: PublicKey = "4a3838f6fe75251e613329d53fc69b262d5eac97fb1d73bebbaed4015b53c862"
        .parse()
        .unwrap();
    let challenge = bytes("bbae60ea44cdd7b20dc7010a618b0f0803fab25a817520b4b7f057299b524deb");
    let signature = "fd5128d2d207ba58a9d1d6f41b72c747964ad9d1294077b3b1eee6130b05843ab12c53c7f2519f73d4feb82db19d8ca0fc26b62bde6518e79a882f5795bc9f00bbae60ea44cdd7b20dc7010a618b0f0803fab25a817520b4b7f057299b524deb";
    assert!(router.has_signed(signature, &challenge, None));

    let channel = *b"\xe9s\xbe\xe2M\xce\xa9\xe2\x06%\xf9I\xc0\xe3\xcd(\xd62\xcc\xbe\xfeI\x07\xc2\xfa\xc2r\x87\x10\xf7\xb1`";
    let channel = ChannelId::from(channel);
    let client: PublicKey = "545efb0a2192db8d43f118e9bf9aee081466e1ef36c708b96ee6f62dddad9122"
        .parse()
        .unwrap();
    let challenge = bytes("358625312c6c3bf64ed51d17d210ce21af1639c774cabf5735a9651d7d91fc6a");
    let signature = "25114474580d6e99a6126b091b4565c23db567d686c5b8c3a94e3f2f09dc80300c5b40a124236733fa56396df721eb12ac092362379bd5b27b4db9e2beaa1408dcf59bd361a2921448f0e45e12f303097924f5798a83b895cf6b179a6d664d0a";
    assert!(client.has_signed(signature, &challenge, Some(&channel)));
}

fn key() -> PrivateKey {
    PrivateKey::from_seed(&[1; 32])
}

fn exchange(router_key: Option<PublicKey>) -> Exchange {
    let means = Cryptosign {
        key: key(),
        router_key,
    };
    let authorized = vec![
        PrivateKey::from_seed(&[2; 32]).public_key(),
        key().public_key(),
    ];
    Exchange::new(
        [Means::Cryptosign(means)],
        [Credential::Cryptosign(authorized)],
    )
}

fn client_error(exchange: Exchange) -> String {
    match exchange.run() {
        Err(Failed::Client(error)) => {
            assert_eq!(error.culprit, Culprit::Router);
            error.problem
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_with_an_authorized_key_is_let_in_and_no_other() {
    assert_eq!(exchange(None).run(), Ok(()));
    assert_eq!(exchange(None).over([7; 32], [7; 32]).run(), Ok(()));

    let mut stranger = exchange(None);
    stranger.demanded = vec![Credential::Cryptosign(vec![router_key().public_key()])];
    assert!(matches!(stranger.run(), Err(Failed::Router(_))));

    // Somebody who knows an authorized key's public half only.
    let mut begun = exchange(None).begin();
    let challenge = begun.challenge();
    let theirs = challenge.extra.challenge.as_deref().map(bytes).unwrap();
    let mut answer = begun.signer.answer(&challenge).unwrap();
    answer.signature = router_key().sign(&theirs, None).into();
    assert!(begun.verify(&answer).is_err());
}

#[test]
fn somebody_between_two_tls_connections_is_found_out() {
    let outcome = exchange(None).over([7; 32], [8; 32]).run();
    assert!(matches!(outcome, Err(Failed::Router(_))));
}

#[test]
fn a_channel_binding_that_there_is_not_is_refused() {
    for (name, has_channel) in [("tls-exporter", false), ("tls-unique", true)] {
        let mut exchange = exchange(None);
        let pubkey = Value::Text(key().public_key().to_string());
        let binding = Value::Text(name.to_owned());
        exchange.means = Vec::new();
        exchange.hello.authextra = Some(Value::Map(vec![
            ("pubkey".to_owned(), pubkey),
            ("channel_binding".to_owned(), binding),
        ]));
        exchange.channels[1] = has_channel.then(|| [7; 32].into());
        let Err(Failed::Router(denied)) = exchange.run() else {
            panic!("{name} was taken");
        };
        assert!(denied.problem.contains(name), "{denied}");
    }
}

#[test]
fn check_89_a_client_does_not_sign_without_the_channel_binding_that_it_asked_for() {
    let over_tls = || exchange(None).over([7; 32], [7; 32]).begin();
    for binding in [None, Some("tls-unique".into())] {
        let mut begun = over_tls();
        let mut challenge = begun.challenge();
        challenge.extra.channel_binding = binding;
        let error = begun.signer.answer(&challenge).unwrap_err();
        assert!(
            error.problem.contains("asked for was tls-exporter"),
            "{error}"
        );
    }
    let mut begun = exchange(None).begin();
    let mut challenge = begun.challenge();
    challenge.extra.channel_binding = Some("tls-exporter".into());
    let error = begun.signer.answer(&challenge).unwrap_err();
    assert!(error.problem.contains("asked for was none"), "{error}");
}

#[test]
fn check_90_a_router_proves_that_it_has_its_key() {
    let expected = Some(router_key().public_key());
    assert_eq!(exchange(expected).run(), Ok(()));
    assert_eq!(exchange(expected).over([7; 32], [7; 32]).run(), Ok(()));

    let mut begun = exchange(expected).begin();
    let extra = begun.challenge().extra;
    assert_eq!(
        extra.pubkey.as_deref(),
        Some(&*router_key().public_key().to_string())
    );
    let sent = begun.hello.authextra.as_ref().unwrap().get("challenge");
    let sent = bytes(sent.unwrap().as_str().unwrap());
    let signature = extra.signature.unwrap();
    assert!(
        router_key()
            .public_key()
            .has_signed(&signature, &sent, None)
    );
}

#[test]
fn check_90_a_false_router_gets_no_signature() {
    let expected = Some(PrivateKey::from_seed(&[3; 32]).public_key());
    assert!(client_error(exchange(expected)).contains("the router has the key"));

    let mut begun = exchange(Some(router_key().public_key())).begin();
    let challenge = begun.challenge();
    let mut silent = challenge.clone();
    silent.extra.pubkey = None;
    let mut replayed = challenge;
    replayed.extra.signature = Some(router_key().sign(&[0; 32], None).into());
    for (challenge, problem) in [(silent, "does not prove"), (replayed, "has not signed")] {
        let error = begun.signer.answer(&challenge).unwrap_err();
        assert!(error.problem.contains(problem), "{error}");
    }
}

#[test]
fn keys_are_read_from_files_of_several_kinds() {
    let hex = "20e8c05d0ede9506462bb049c4843032b18e8e75b314583d0c8d8a4942f9be40";
    let autobahn = format!("This is a key file.\n\nuser-id: me\n  private-key-ed25519: {hex}\n");
    let key: PrivateKey = hex.parse().unwrap();
    for contents in [
        hex.as_bytes().to_vec(),
        format!("{hex}\n").into_bytes(),
        autobahn.into_bytes(),
        bytes(hex).to_vec(),
    ] {
        let read = PrivateKey::from_file_contents(&contents).unwrap();
        assert_eq!(read.public_key(), key.public_key());
    }
    assert_eq!(key.to_hex().expose_text(), Some(hex));
    assert_eq!(
        format!("{key:?}"),
        format!("PrivateKey(of {})", key.public_key())
    );
    for no_key in [
        &b""[..],
        b"-----BEGIN OPENSSH PRIVATE KEY-----",
        &[0xFF; 31],
    ] {
        assert_eq!(
            PrivateKey::from_file_contents(no_key).unwrap_err(),
            "a private key is 64 hex digits"
        );
    }
    assert!("42".parse::<PublicKey>().is_err());
}
