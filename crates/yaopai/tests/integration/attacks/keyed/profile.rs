//! Signatures that verify by RFC 9421 and cover or say less, more or something else than the profile wants. They are made with the
//! session's own key: so whatever passes here, a careless client or a clever proxy can bring about.

use serde_json::json;

use super::hand::{Hand, NAMES};
use super::scene;
use crate::support::{Draft, Phone, TestApp, request_id};

/// Where a signed request can be shown: a GET and a POST at the checks, a GET and a POST of the API.
fn drafts(victim: &Phone) -> [(Draft, bool); 4] {
    let body = json!({ "request_id": request_id("profile") });
    [
        (victim.draft_for_shop("GET", "/orders?a=1", None), true),
        (victim.draft_for_shop("POST", "/orders", Some(&body)), true),
        (victim.draft("GET", "/session", None), false),
        (victim.draft("POST", "/session/refresh", Some(&body)), false),
    ]
}

/// How a draft is answered wherever it can be shown.
async fn answers(app: &TestApp, draft: &Draft, at_checks: bool) -> Vec<String> {
    if !at_checks {
        return vec![answer(draft.send(app).await)];
    }
    let replies = [
        draft.check(app, "-").await,
        draft.check(app, "require=open").await,
        draft.check_through_hyper(app, "-").await,
        draft.check_forward(app, "").await,
    ];
    replies.map(answer).into()
}

fn answer(reply: crate::support::Reply) -> String {
    if reply.status.is_success() { "passed".into() } else { reply.refusal() }
}

/// Each draft, signed by hand but for what `spoil` does, is refused like this, everywhere.
async fn spoilt(app: &TestApp, victim: &Phone, what: &str, expected: &[&str], spoil: impl Fn(&mut Hand)) {
    let key = victim.key().unwrap();
    for (mut draft, at_checks) in drafts(victim) {
        let mut hand = Hand::of(&mut draft, &key, victim.clock());
        spoil(&mut hand);
        let signed = hand.put(&draft, &key.key);
        for answer in answers(app, &signed, at_checks).await {
            assert!(expected.contains(&&*answer), "{what}: {answer} for {} by {}", draft.uri, hand.input());
        }
    }
}

const INVALID: &[&str] = &["401 proof_invalid"];

/// The hand itself is right.
#[tokio::test]
async fn what_is_signed_by_hand_passes() {
    let (app, victim) = scene().await;
    let key = victim.key().unwrap();
    for (mut draft, at_checks) in drafts(&victim) {
        let hand = Hand::of(&mut draft, &key, victim.clock());
        let signed = hand.put(&draft, &key.key);
        assert_eq!(answers(&app, &signed, at_checks).await[0], "passed", "{}", draft.uri);
        // Any label, any order.
        let mut hand = Hand::of(&mut draft, &key, victim.clock());
        hand.label = "sig1".into();
        hand.components.reverse();
        hand.params.reverse();
        assert_eq!(answers(&app, &hand.put(&draft, &key.key), at_checks).await[0], "passed", "{}", draft.uri);
    }
}

#[tokio::test]
async fn a_component_is_left_out() {
    let (app, victim) = scene().await;
    let key = victim.key().unwrap();
    for name in NAMES {
        for (mut draft, at_checks) in drafts(&victim) {
            let mut hand = Hand::of(&mut draft, &key, victim.clock());
            let all = hand.components.len();
            hand.components.retain(|(n, _)| *n != format!("\"{name}\""));
            if hand.components.len() == all {
                continue;
            }
            let code = if name == "content-digest" { "401 body_digest_required" } else { "401 proof_invalid" };
            for answer in answers(&app, &hand.put(&draft, &key.key), at_checks).await {
                assert_eq!(answer, code, "without {name}");
            }
        }
    }
    spoilt(&app, &victim, "nothing is covered", INVALID, |hand| hand.components.clear()).await;
}

#[tokio::test]
async fn a_component_is_there_twice_or_is_none_of_the_profile_s() {
    let (app, victim) = scene().await;
    for n in 0..5 {
        spoilt(&app, &victim, "twice", INVALID, |hand| hand.components.push(hand.components[n].clone())).await;
    }
    let host = "shop.example".to_owned();
    for (name, value) in [
        ("@scheme", "https".to_owned()),
        ("@target-uri", "https://shop.example/orders".to_owned()),
        ("@request-target", "/orders".to_owned()),
        ("@status", "200".to_owned()),
        ("host", host),
        ("cookie", String::new()),
        ("accept", "*/*".to_owned()),
        ("x-anything", String::new()),
        ("", String::new()),
        ("@METHOD", "GET".to_owned()),
        ("Authorization", String::new()),
    ] {
        let more = (format!("\"{name}\""), value);
        spoilt(&app, &victim, name, INVALID, |hand| hand.components.push(more.clone())).await;
    }
    // As another kind of item.
    for odd in ["@method", "1", ":QUJD:", "?1", "(\"@method\")", "@1764230400"] {
        spoilt(&app, &victim, odd, INVALID, |hand| hand.components[0].0 = odd.to_owned()).await;
    }
}

#[tokio::test]
async fn a_component_has_parameters() {
    let (app, victim) = scene().await;
    for param in [";sf", ";bs", ";key=\"sha-256\"", ";req", ";tr", ";name=\"a\"", ";sf=?0", ";x"] {
        for n in 0..5 {
            spoilt(&app, &victim, param, INVALID, |hand| hand.components[n].0.push_str(param)).await;
        }
        // Beside the right one.
        spoilt(&app, &victim, param, INVALID, |hand| {
            let (name, value) = hand.components[2].clone();
            hand.components.push((name + param, value));
        })
        .await;
    }
}

#[tokio::test]
async fn created() {
    let (app, victim) = scene().await;
    for wrong in
        ["-1", "1767225600.0", "1767225600.5", "\"1767225600\"", "@1767225600", "?1", ":AAAA:", "9999999999999999"]
    {
        spoilt(&app, &victim, wrong, INVALID, |hand| hand.param("created", Some(wrong))).await;
    }
    for stale in ["0", "1", "999999999999999", "4294967296", "1767225600000"] {
        spoilt(&app, &victim, stale, &["401 proof_stale"], |hand| hand.param("created", Some(stale))).await;
    }
    spoilt(&app, &victim, "none", INVALID, |hand| hand.param("created", None)).await;
    spoilt(&app, &victim, "valueless", INVALID, |hand| hand.params[0] = "created".into()).await;
    // The structured fields' own rule is that the last one counts: another reader may take the first.
    for at in [0, 5] {
        spoilt(&app, &victim, "twice", INVALID, |hand| hand.params.insert(at, hand.params[0].clone())).await;
        spoilt(&app, &victim, "and an old one", INVALID, |hand| hand.params.insert(at, "created=1".into())).await;
    }
}

#[tokio::test]
async fn the_nonce() {
    let (app, victim) = scene().await;
    let of = |length: usize| format!("\"{}\"", "n".repeat(length));
    for wrong in [
        of(0),
        of(21),
        of(65),
        of(1000),
        "\"nnnnnnnnnnnnnnnnnnnnn n\"".into(),
        "\"nnnnnnnnnnnnnnnnnnnnnn\\\"\"".into(),
        "\"nnnnnnnnnnnnnnnnnnnn/+==\"".into(),
        "nnnnnnnnnnnnnnnnnnnnnnnn".into(),
        "1234567890123".into(),
        ":bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4=:".into(),
    ] {
        spoilt(&app, &victim, &wrong, INVALID, |hand| hand.param("nonce", Some(&wrong))).await;
    }
    spoilt(&app, &victim, "none", INVALID, |hand| hand.param("nonce", None)).await;
    spoilt(&app, &victim, "twice", INVALID, |hand| hand.params.push(format!("nonce={}", of(30)))).await;
}

/// One nonce, many seconds: the same nonce under another `created` is another request, and is refused as well.
#[tokio::test]
async fn one_nonce_for_several_requests() {
    let (app, victim) = scene().await;
    let key = victim.key().unwrap();
    let draft = |method: &str, uri: &str| Draft::new(method, "shop.example", uri, None).bearing(&victim.token());
    let nonce = crate::support::fresh_nonce();
    let now = victim.clock();
    let mut passed = 0;
    for created in now - 60..=now + 5 {
        for uri in ["/a", "/b"] {
            passed +=
                u32::from(draft("GET", uri).signed_with(&key, created, &nonce).check(&app, "-").await.status == 200);
        }
    }
    assert_eq!(passed, 1);
    // To another session the same nonce is another.
    let pad = app.phone("lilei").keyed();
    pad.log_in().await;
    let other = Draft::new("GET", "shop.example", "/a", None).bearing(&pad.token());
    assert_eq!(other.signed_with(&pad.key().unwrap(), now, &nonce).check(&app, "-").await.user(), "42");
}

#[tokio::test]
async fn the_other_parameters() {
    let (app, victim) = scene().await;
    for wrong in ["\"\"", "\"Yaopai\"", "\"yaopai \"", "\"yaopai2\"", "\"web-bot-auth\"", "yaopai", "1", ":eWFvcGFp:"] {
        spoilt(&app, &victim, wrong, INVALID, |hand| hand.param("tag", Some(wrong))).await;
    }
    for name in ["tag", "keyid", "alg"] {
        spoilt(&app, &victim, "none", INVALID, |hand| hand.param(name, None)).await;
        spoilt(&app, &victim, "twice", INVALID, |hand| {
            let again = hand.params.iter().find(|param| param.starts_with(name)).unwrap().clone();
            hand.params.push(again);
        })
        .await;
    }
    // `expires` would promise what nobody holds.
    for more in ["expires=1999999999", "expires=1", "x", "x=1", "nonce2=\"a\"", "created2=1"] {
        spoilt(&app, &victim, more, INVALID, |hand| hand.params.push(more.into())).await;
    }
}

/// Two signatures, of which a proxy's reader and ours might each take another.
#[tokio::test]
async fn two_signatures() {
    let (app, victim) = scene().await;
    let key = victim.key().unwrap();
    for (mut draft, at_checks) in drafts(&victim) {
        let (first, second) = {
            let first = Hand::of(&mut draft, &key, victim.clock());
            let mut second = Hand::of(&mut draft, &key, victim.clock());
            second.label = "other".into();
            (first.fields(&key.key), second.fields(&key.key))
        };
        let with = |inputs: &[&str], signatures: &[&str]| {
            let mut draft = draft.clone();
            draft.remove("signature-input");
            draft.remove("signature");
            draft.fields.extend(inputs.iter().map(|value| ("signature-input".to_owned(), (*value).to_owned())));
            draft.fields.extend(signatures.iter().map(|value| ("signature".to_owned(), (*value).to_owned())));
            draft
        };
        let (both, sigs) = (format!("{}, {}", first.0, second.0), format!("{}, {}", first.1, second.1));
        let (twice, sigs_twice) = (format!("{}, {}", first.0, first.0), format!("{}, {}", first.1, first.1));
        let garbage = "yaopai=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
        let (a, b) = ((&*first.0, &*first.1), (&*second.0, &*second.1));
        for (what, spoilt) in [
            ("two members", with(&[&both], &[&sigs])),
            ("two fields", with(&[a.0, b.0], &[a.1, b.1])),
            ("two inputs", with(&[a.0, b.0], &[a.1])),
            ("two members of the input", with(&[&both], &[a.1])),
            ("two signatures", with(&[a.0], &[a.1, b.1])),
            ("two members of the signature", with(&[a.0], &[&sigs])),
            ("one label twice", with(&[&twice], &[&sigs_twice])),
            ("one label twice, of the input", with(&[&twice], &[a.1])),
            ("the same fields twice", with(&[a.0, a.0], &[a.1, a.1])),
            ("another label", with(&[a.0], &[&first.1.replace("yaopai=", "other=")])),
            ("the other's signature", with(&[a.0], &[&second.1.replace("other=", "yaopai=")])),
            ("a wrong one before", with(&[a.0], &[garbage, a.1])),
            ("a wrong one behind", with(&[a.0], &[a.1, garbage])),
            ("an input alone", with(&[a.0], &[])),
            ("a signature alone", with(&[], &[a.1])),
            ("an empty input", with(&[""], &[a.1])),
            ("an empty signature", with(&[a.0], &[""])),
            ("a signature in parentheses", with(&[a.0], &[&format!("yaopai=({})", &a.1[7..])])),
            ("a signature with a parameter", with(&[a.0], &[&format!("{};a=1", a.1)])),
            ("a shorter signature", with(&[a.0], &["yaopai=:AAAA:"])),
            ("no signature's bytes", with(&[a.0], &["yaopai=::"])),
            ("too long an input", with(&[&format!("{};x=\"{}\"", a.0, "x".repeat(1000))], &[a.1])),
        ] {
            for answer in answers(&app, &spoilt, at_checks).await {
                assert_eq!(answer, "401 proof_invalid", "{what} for {}", draft.uri);
            }
        }
        // Nothing of it was used up.
        assert_eq!(answers(&app, &with(&[a.0], &[a.1]), at_checks).await[0], "passed", "{}", draft.uri);
    }
}

/// Where the token is shown is part of what is signed, if it is `Authorization`.
#[tokio::test]
async fn other_carriers() {
    let tables = "[carriers]\ncookie = \"sid\"\nheader = \"x-session\"";
    let app = TestApp::with(crate::support::Setup { shop: "keyed = \"required\"", tables, ..Default::default() }).await;
    let victim = app.customer("lilei", "42").keyed();
    victim.log_in().await;
    let (key, token, now) = (victim.key().unwrap(), victim.token(), victim.clock());
    let bearer = format!("Bearer {token}");
    for (name, value) in [("cookie", format!("a=b; sid={token}")), ("x-session", token.clone())] {
        let mut bare = Draft::new("GET", "shop.example", "/orders", None);
        bare.set(name, &value);
        assert_eq!(bare.check(&app, "-").await.denied(), "401 proof_required", "{name}");
        assert_eq!(bare.check_through_hyper(&app, "require=open").await.denied(), "401 proof_required", "{name}");
        assert_eq!(bare.check_forward(&app, "").await.denied(), "401 proof_required", "{name}");
        assert_eq!(bare.clone().signed(&key, now).check(&app, "-").await.user(), "42", "{name}");
        // It signs for itself, and for no other carrier.
        let signed = bare.clone().signed(&key, now);
        let mut other = signed.clone();
        other.remove(name);
        other.set("authorization", &bearer);
        assert_eq!(other.check(&app, "-").await.denied(), "401 proof_invalid", "{name}");
        // Two carriers, whoever signed for which.
        for both in [
            {
                let mut both = signed.clone();
                both.set("authorization", &bearer);
                both
            },
            {
                let mut both = bare.clone();
                both.set("authorization", &bearer);
                both.signed(&key, now)
            },
            {
                let mut both = signed.clone();
                both.set("cookie", &format!("sid={token}"));
                both.set("x-session", &token);
                both
            },
        ] {
            assert_eq!(both.check(&app, "-").await.denied(), "400 carrier_conflict", "{name}");
            assert_eq!(both.check_forward(&app, "").await.denied(), "400 carrier_conflict", "{name}");
        }
        // Another scheme's authorization beside it is the back end's business, and nothing that may be covered.
        let mut basic = bare.clone();
        basic.set("authorization", "Basic YTpi");
        let mut by_hand = basic.clone();
        let hand = Hand::of(&mut by_hand, &key, now);
        assert_eq!(hand.put(&basic, &key.key).check(&app, "-").await.denied(), "401 proof_invalid", "{name}");
        let mut hand = Hand::of(&mut by_hand, &key, now);
        hand.components.retain(|(n, _)| n != "\"authorization\"");
        assert_eq!(hand.put(&basic, &key.key).check(&app, "-").await.user(), "42", "{name}");
        // The carrier alone may not be covered: it is none of the profile's.
        let mut hand = Hand::of(&mut by_hand, &key, now);
        hand.components[4] = (format!("\"{name}\""), value.clone());
        assert_eq!(hand.put(&bare, &key.key).check(&app, "-").await.denied(), "401 proof_invalid", "{name}");
    }
}
