//! docs/signatures.md: its example is computed anew, by us, by its own program, and by hand.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;
use yaopai_wire::digest::{CONTENT_DIGEST, ContentDigest};
use yaopai_wire::original::Original;
use yaopai_wire::signature::{Key, Needs, Params, sign};
use yaopai_wire::token::Token;

const ENGLISH: &str = include_str!("../../../../docs/signatures.md");
const CHINESE: &str = include_str!("../../../../docs/signatures.zh-CN.md");

/// The blocks between fences, without their indentation.
fn blocks(text: &str) -> Vec<String> {
    let inside = text.split("```").skip(1).step_by(2);
    inside.map(|b| b.lines().skip(1).map(|l| format!("{}\n", l.strip_prefix("   ").unwrap_or(l))).collect()).collect()
}

/// The value after a name: `token  yp1_…`.
fn named<'a>(block: &'a str, name: &str) -> &'a str {
    block.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}")).trim()
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// What the example signs with, and what.
struct Example {
    token: String,
    session: String,
    key: Vec<u8>,
    created: i64,
    nonce: String,
    body: String,
    base: String,
    fields: String,
}

fn example() -> Example {
    let [given, request, base, fields, ..] = &blocks(ENGLISH)[..] else { panic!("the example's four blocks") };
    let (head, body) = request.split_once("\n\n").unwrap();
    assert!(head.starts_with("POST /orders?from=cart HTTP/1.1\nHost: shop.example\n"), "{head}");
    let parameter = |name: &str| base.split_once(name).unwrap().1.split([';', '"']).find(|p| !p.is_empty()).unwrap();
    Example {
        token: named(given, "token").into(),
        session: named(given, "session_id").into(),
        key: STANDARD.decode(named(given, "key.secret")).unwrap(),
        created: parameter(";created=").parse().unwrap(),
        nonce: parameter(";nonce=").into(),
        body: body.trim_end().into(),
        base: base.trim_end().into(),
        fields: fields.clone(),
    }
}

#[test]
fn the_example_is_what_we_sign() {
    let Example { token, session, key, created, nonce, body, base, fields } = example();
    let parsed = Token::parse(token.as_bytes()).unwrap();
    assert_eq!(yaopai_core::ids::SessionId(parsed.id).to_string(), session, "the token is this session's");
    let digest = ContentDigest::of(body.as_bytes()).value();
    let mut headers = HeaderMap::new();
    let mut set = |name, value: &str| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    };
    set("authorization", &format!("Bearer {token}"));
    set(CONTENT_DIGEST, &digest);
    let original = Original::new("POST", "https", "shop.example", "/orders?from=cart").unwrap();
    let needs = Needs { authorization: true, unsigned_body: false };
    let params = Params { created, nonce: &nonce, key_id: &session };
    let signed = sign(Key::HmacSha256(&key.clone().try_into().unwrap()), &original, &headers, needs, params).unwrap();
    let ours =
        format!("Content-Digest: {digest}\nSignature-Input: {}\nSignature: {}\n", signed.input, signed.signature);
    assert_eq!(fields, ours);
    // The base that is shown is the one that was signed.
    assert_eq!(signed.signature, format!("yaopai=:{}:", STANDARD.encode(mac(&key, base.as_bytes()))));
}

#[test]
fn the_program_says_the_same() {
    let Example { token, session, key, created, nonce, body, fields, .. } = example();
    let program = blocks(ENGLISH).into_iter().find(|b| b.contains("export function sign")).unwrap();
    let call = format!(
        "const fields = sign({{ token: '{token}', sessionId: '{session}', secret: '{}' }}, \
         {{ method: 'POST', host: 'shop.example', path: '/orders', query: 'from=cart', body: '{body}' }}, {created}999, '{nonce}')\n\
         for (const [name, value] of Object.entries(fields)) if (name !== 'Authorization') console.log(`${{name}}: ${{value}}`)",
        STANDARD.encode(key)
    );
    let node = Command::new("node").args(["--input-type=module", "-e", &format!("{program}{call}")]).output();
    let output = node.expect("node is needed: scripts/setup says how to install it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), fields);
}

/// RFC 5869, section 2, by hand. That the server derives the same is tested where it does (proof/key_tests.rs).
#[test]
fn the_key_out_of_wechat_s_is_derived() {
    let block = blocks(ENGLISH).into_iter().find(|b| b.contains("encryptKey")).unwrap();
    let pseudorandom = mac(&[0; 32], &STANDARD.decode(named(&block, "encryptKey")).unwrap());
    let derived = mac(&pseudorandom, &[named(&block, "info").as_bytes(), &[1]].concat());
    assert_eq!(STANDARD.encode(derived), named(&block, "key"));
}

#[test]
fn both_languages_show_the_same() {
    assert_eq!(blocks(ENGLISH), blocks(CHINESE));
}
