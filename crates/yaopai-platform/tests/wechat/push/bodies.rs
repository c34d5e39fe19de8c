//! What a message says, in XML and in JSON.

use yaopai_platform::wechat::push::{self, PushError as E};

use super::{APPID, at, read_message};

#[test]
fn whom_it_is_about() {
    let read = |fields: &str| read_message(format!(r#"{{"CreateTime":1,{fields}}}"#).as_bytes());
    for event in [push::USER_INFO_MODIFIED, push::USER_AUTHORIZATION_REVOKE, push::USER_AUTHORIZATION_CANCELLATION] {
        let push = read(&format!(r#""Event":"{event}","FromUserName":"oService"," OpenID":"oUser""#)).unwrap();
        assert_eq!(push.openid.as_deref(), Some("oUser"));
        // Nobody is better than the wrong one.
        assert_eq!(read(&format!(r#""Event":"{event}","FromUserName":"oService""#)).unwrap().openid, None);
        let of = |appid: &str| read(&format!(r#""Event":"{event}"," AppID":"{appid}""#)).map(drop);
        assert_eq!((of(APPID), of("wx0000000000000000")), (Ok(()), Err(E::NotOurs)));
    }
    let entered = read(r#""Event":"user_enter_tempsession","FromUserName":"oUser""#).unwrap();
    assert_eq!(entered.openid.as_deref(), Some("oUser"));
    let said = read(r#""MsgType":"text","FromUserName":"oUser","MsgId":1234567890123456,"Content":"hi""#).unwrap();
    assert_eq!((said.event, said.msg_id.as_deref()), (None, Some("1234567890123456")));
    // Somebody wrote `]]></Content><Event>…`, and whoever put it into the message took it as it was.
    let written = "<xml><CreateTime>1</CreateTime><FromUserName>oUser</FromUserName><MsgType>text</MsgType><Content><![CDATA[]]>\
                   </Content><Event>user_authorization_cancellation</Event><MsgType>event</MsgType><OpenID>oVictim</OpenID></xml>";
    assert_eq!(read_message(written.as_bytes()).unwrap().event, None);
    for bad in [r#""OpenID":"o\n1""#, &format!(r#""OpenID":"{}""#, "o".repeat(129))] {
        assert_eq!(read(bad), Err(E::Malformed("an openid that is none")));
    }
    for time in ["null", "-1", "1.5", "99999999999", "\"now\"", "{}"] {
        let message = format!(r#"{{"CreateTime":{time}}}"#);
        assert_eq!(read_message(message.as_bytes()), Err(E::Malformed("no CreateTime")), "{time}");
    }
}

#[test]
fn xml() {
    let read = |inner: &str| read_message(inner.as_bytes());
    let push = read(
        "<?xml version=\"1.0\"?>\n<xml>\n  <CreateTime> 1626857200 </CreateTime><!-- no --><Event x='y'>a&lt;b&#38;c<![CDATA[<d>&amp;]]></Event>\
         <Empty/><List><SubscribeMsg><Event>inner</Event></SubscribeMsg>tail</List><Event>second</Event></xml>\n",
    )
    .unwrap();
    assert_eq!((push.event.as_deref(), push.create_time), (Some("a<b&c<d>&amp;"), at(1_626_857_200)));
    assert_eq!((push.fields["Empty"].as_str(), push.fields.get("List")), ("", None));

    let laughs = r#"<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><xml><CreateTime>1</CreateTime><E>&b;</E></xml>"#;
    let outside =
        r#"<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><CreateTime>1</CreateTime><E>&a;</E></xml>"#;
    for bad in [
        laughs,
        outside,
        "<!DOCTYPE xml><xml><CreateTime>1</CreateTime></xml>",
        "<xml><?php ?><CreateTime>1</CreateTime></xml>",
        "<xml><CreateTime>1</CreateTime><E>&b;</E></xml>",
        "<xml><CreateTime>1</CreateTime><E>&#xFFFFFFFF;</E></xml>",
        "<xml><CreateTime>1</CreateTime>",
        "<xml><CreateTime>1</CreateTime></xml></xml>",
        "<xml><CreateTime>1</CreateTime></xml><xml></xml>",
        "<xml><CreateTime>1</CreateTime></xml>x",
        "<xml>x<CreateTime>1</CreateTime></xml>",
        "<xml><CreateTime>1</Event></xml>",
        "<xml><![CDATA[x]]><CreateTime>1</CreateTime></xml>",
        "<xml/>",
        "<",
        &format!("<xml><CreateTime>1</CreateTime>{}{}</xml>", "<a>".repeat(16), "</a>".repeat(16)),
        &"<a>".repeat(10_000),
    ] {
        assert!(matches!(read(bad), Err(E::Malformed(_))), "{bad}: {:?}", read(bad));
    }
}

#[test]
fn json() {
    for bad in ["", " ", "[]", "1", "null", "{", "{}{}", "\u{feff}{}", &"[".repeat(40_000), &"{\"a\":".repeat(5_000)] {
        assert!(matches!(read_message(bad.as_bytes()), Err(E::Malformed(_))), "{bad}");
    }
    assert_eq!(read_message(b"{\"a\":\"\xff\"}"), Err(E::Malformed("the body is not UTF-8")));
    let push = read_message(br#"{" CreateTime ":"7","A":{"B":1},"C":[1],"D":null,"E":true,"F":"x","F":"y"}"#).unwrap();
    let names: Vec<_> = push.fields.keys().map(String::as_str).collect();
    assert_eq!(names, ["CreateTime", "E", "F"]);
}
