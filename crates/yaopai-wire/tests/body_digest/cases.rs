//! The table.

use yaopai_wire::digest::ContentDigest;

pub const BODY: &[u8] = b"{\"amount\": 100}";

/// A request's `Content-Digest` and body.
pub struct Case {
    pub name: &'static str,
    /// `None`: no such field.
    pub value: Option<String>,
    pub body: Vec<u8>,
    /// Is the body what was signed?
    pub right: bool,
    /// The check reads more of RFC 9651 here than the readers, who refuse. No client of ours writes this.
    pub stricter: bool,
}

pub fn digest(body: &[u8]) -> String {
    ContentDigest::of(body).value()
}

/// A digest by another algorithm (RFC 9421, appendix B.2).
pub const fn others() -> &'static str {
    "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
}

pub fn cases() -> Vec<Case> {
    let ours = digest(BODY);
    let wrong = digest(b"another");
    let sha_512 = others();
    let long = vec![b'x'; 64 * 1024];
    let mut one_bit_off = BODY.to_vec();
    one_bit_off[7] ^= 1;
    let case = |name, value: String, body: &[u8], right| Case {
        name,
        value: Some(value),
        body: body.to_vec(),
        right,
        stricter: false,
    };
    let says = |name, value: String, right| case(name, value, BODY, right);
    let stricter = |name, value: String| Case { stricter: true, ..says(name, value, false) };
    vec![
        says("right", ours.clone(), true),
        case("one bit off", ours.clone(), &one_bit_off, false),
        case("a byte more", ours.clone(), &[BODY, b"\n"].concat(), false),
        case("empty, and so signed", digest(b""), b"", true),
        case("empty, and not so signed", ours.clone(), b"", false),
        says("not empty, signed as empty", digest(b""), false),
        case("64 KB", digest(&long), &long, true),
        case("64 KB, cut off", digest(&long), &long[1..], false),
        case("bytes that are no text", digest(b"\xff\x00\r\n\xfe"), b"\xff\x00\r\n\xfe", true),
        Case { name: "missing", value: None, body: BODY.to_vec(), right: false, stricter: false },
        Case { name: "missing, and no body", value: None, body: Vec::new(), right: false, stricter: false },
        says("empty value", String::new(), false),
        says("two sha-256, the right one first", format!("{ours}, {wrong}"), false),
        says("two sha-256, the right one last", format!("{wrong}, {ours}"), false),
        says("two sha-256, equal", format!("{ours}, {ours}"), false),
        says("sha-512 beside it", format!("{sha_512}, {ours}"), true),
        says("sha-512 after it", format!("{ours}, {sha_512}"), true),
        // Two fields that a proxy or a server has joined. Not joined, the check refuses them.
        says("a list without spaces", format!("{ours},{sha_512}"), true),
        says("a list with tabs", format!("{ours}\t,\t {sha_512}"), true),
        says("sha-512 alone", sha_512.to_owned(), false),
        says("sha-512 that is no base64", format!("sha-512=:a:, {ours}"), false),
        says("sha-512 that is empty", format!("sha-512=::, {ours}"), true),
        says("a long one beside it", format!("other=:{}:, {ours}", "AAAA".repeat(3000)), true),
        says("with a parameter", format!("{ours};a=b"), true),
        says("with two, one without a value", format!("{ours};a=b;c"), true),
        says("with half a parameter", format!("{ours};"), false),
        says("with a parameter without a name", format!("{ours};=b"), false),
        says("with a parameter without its value", format!("{ours};a="), false),
        says("with a space before the parameter", format!("{ours} ;a=b"), false),
        says("upper case key", ours.replacen("sha", "SHA", 1), false),
        says("upper case key beside it", format!("{}, {ours}", wrong.replacen("sha", "SHA", 1)), false),
        says("key of which ours is the end", ours.replacen("sha", "x-sha", 1), false),
        says("key of which ours is the beginning", ours.replacen("256", "2567", 1), false),
        says("no base64", ours.replacen("=:", "=:!", 1), false),
        says("base64url", "sha-256=:RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg=:".into(), false),
        says("31 bytes", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==:".into(), false),
        says("hexadecimal", "sha-256=2d8bd7d9bb5f85ba643f0110d50cb506a1fe439e769a22503193ea6046bb87f7".into(), false),
        says("a string", ours.replace(':', "\""), false),
        says("a list of digests", format!("sha-256=({})", &ours[8..]), false),
        says("no colon at the end", ours[..ours.len() - 1].to_owned(), false),
        says("a comma at the end", format!("{ours},"), false),
        says("a comma at the beginning", format!(",{ours}"), false),
        says("something behind it", format!("{ours} x"), false),
        says("a line feed's letters behind it", format!("{ours}\\n"), false),
        says("rubbish beside it", format!("???, {ours}"), false),
        says("in a string", format!("x=\"a, {ours}, b\""), false),
        stricter("a string beside it", format!("x=\"a\", {ours}")),
        stricter("a word beside it", format!("x, {ours}")),
        stricter("with a parameter of another kind", format!("{ours};a=\"b\"")),
        stricter("without its padding", ours.replace("=:", ":").replacen("256:", "256=:", 1)),
    ]
}
