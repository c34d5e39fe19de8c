//! RFC 9421, appendix B.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

pub fn mac(key: &[u8], base: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(base.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// B.2.5, with the key of B.1.5: that our HMAC over a signature base is the RFC's. What it covers is not our profile.
#[test]
fn hmac_over_a_base() {
    let key = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
    let base = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@authority\": example.com\n\"content-type\": application/json\n\
        \"@signature-params\": (\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\"";
    assert_eq!(mac(&STANDARD.decode(key).unwrap(), base), "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=");
}

/// B.2: the test request, in our profile. What each component is, is the RFC's (sections 2.2.1, 2.2.3, 2.2.6 and 2.2.7).
#[test]
fn components_of_the_test_request() {
    let request = super::Request {
        method: "POST",
        uri: "/foo?param=Value&Pet=dog".into(),
        host: "example.com".into(),
        fields: super::Request::order().fields,
    };
    let signed = request.signed();
    let input = signed.fields[2].1.strip_prefix("yaopai=").unwrap();
    let base = format!(
        "\"@method\": POST\n\"@authority\": example.com\n\"@path\": /foo\n\"@query\": ?param=Value&Pet=dog\n\
         \"authorization\": Bearer yp1_token\n\"content-digest\": {}\n\"@signature-params\": {input}",
        signed.fields[1].1
    );
    assert_eq!(signed.fields[3].1, format!("yaopai=:{}:", mac(&super::KEY, &base)));
}
