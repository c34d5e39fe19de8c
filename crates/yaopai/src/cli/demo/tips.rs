//! What to try: printed while the demo stays up.

use std::net::{IpAddr, UdpSocket};

use super::world::{APP, World};

/// For the simulated WeChat: addresses, keys, and a shell session that works as printed.
pub fn simulated(world: &World, page: &str) {
    let Some(sim) = &world.sim else { return };
    let (tale, front, server) = (&world.tale, &world.front, &world.server);
    let (sim_url, control) = (sim.base_url(), sim.control_token());
    tale.say("");
    tale.say("Look at it in a browser: tap a mini program, break things, and see what crosses the wire /");
    tale.say("在浏览器里看：操作小程序、制造故障，看线上来往了什么：");
    tale.say(&format!("  {page}"));
    addresses(world);
    tale.say(&format!("  WeChat      {sim_url}   simulated; users xiaoming, xiaohong, lilei"));
    tale.say(&format!("  its control token   {control}"));
    tale.say("");
    tale.say("Try it in another terminal, line by line / 在另一个终端逐行尝试：");
    let (check, admin, key) = (&server.check, &server.admin, &*world.api_key);
    let field = |name: &str| format!(r#"sed 's/.*"{name}":"\([^"]*\)".*/\1/'"#);
    // Prose and commands are told apart by the indent, not by `#`: zsh takes no comments where one types.
    tale.say(&format!(
        r#"
A code, as wx.login would give one / 模拟 wx.login 取得 code
    CODE=$(curl -s {sim_url}/_sim/code -H 'Content-Type: application/json' \
      -H 'Authorization: Bearer {control}' \
      -d '{{"user":"xiaohong"}}' | {code_field})
Log in with a key / 登录，并索取密钥
    ID=$(openssl rand -hex 16)
    LOGIN=$(curl -s {front}/yaopai/v1/session -H 'Content-Type: application/json' \
      -d "{{\"app\":\"shop\",\"code\":\"$CODE\",\"request_id\":\"$ID\",\"key\":{{\"alg\":\"hmac-sha256\"}}}}")
    TOKEN=$(echo "$LOGIN" | {token_field})
    SESSION=$(echo "$LOGIN" | {session_field})
    KEY=$(echo "$LOGIN" | {secret_field} | base64 -d | od -An -tx1 | tr -d ' \n')
Sign: method, host, path, body → headers / 签名：方法、主机、路径、请求体 → 请求头
    sign() {{
      DIGEST="sha-256=:$(printf %s "${{4-}}" | openssl dgst -sha256 -binary | base64):"
      COVERED='("@method" "@authority" "@path" "@query" "authorization" "content-digest")'
      PARAMS="$COVERED;created=$(date +%s);nonce=\"$(openssl rand -hex 16)\""
      PARAMS="$PARAMS;keyid=\"$SESSION\";alg=\"hmac-sha256\";tag=\"yaopai\""
      BASE=$(printf '"%s": %s\n' @method "$1" @authority "$2" @path "$3" @query '?' \
        authorization "Bearer $TOKEN" content-digest "$DIGEST" @signature-params "$PARAMS")
      MAC=$(printf %s "$BASE" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$KEY -binary | base64)
      printf '%s: %s\n' Authorization "Bearer $TOKEN" Content-Digest "$DIGEST" \
        Signature-Input "yaopai=$PARAMS" Signature "yaopai=:$MAC:" Content-Type application/json
    }}
A guest: 200, then 403 not_bound / 游客：商品 200，订单 403
    sign GET {host} /goods | curl -si {front}/goods -H @-; echo
    sign GET {host} /orders | curl -si {front}/orders -H @-; echo
Bind / 绑定
    FORM='{{"account":"xiaohong","password":"hotpot-66"}}'
    BIND="{{\"way\":\"form\",\"request_id\":\"$(openssl rand -hex 16)\",\"form\":$FORM}}"
    sign POST {host} /yaopai/v1/binding "$BIND" |
      curl -s {front}/yaopai/v1/binding -H @- -d "$BIND"; echo
    sign GET {host} /orders | curl -si {front}/orders -H @-; echo
The token alone: 401 proof_required / 只有令牌：401
    curl -si {front}/orders -H "Authorization: Bearer $TOKEN"; echo
Ask as nginx does: the Yaopai-* headers are what a back end learns / 像 nginx 那样询问
    sign GET shop.example /orders |
      curl -si {check}/check/nginx/require=bound/GET/https/shop.example/orders -H @-
List a user's sessions, as a back end / 后端查看用户的会话
    curl -s '{admin}/admin/v1/sessions?user=1003' \
      -H 'Authorization: Bearer {key}'; echo
Is the server well? / 健康检查
    curl -s {admin}/readyz; echo
"#,
        code_field = field("code"),
        host = front.trim_start_matches("http://"),
        token_field = field("token"),
        session_field = field("session_id"),
        secret_field = field("secret"),
    ));
    tale.say("DevTools with a test appid works as well: its `the code is a mock one` logs xiaoming in.");
    tale.say("开发者工具用测试号也可以：其固定 code「the code is a mock one」会登录 xiaoming。");
    tale.say("Who moves the demo's clock on the page gets proof_stale here. / 在网页上拨快时钟后，这里的签名会过期。");
    tale.say("What passes the front door is shown below. Ctrl-C stops everything. / 按 Ctrl-C 停止。");
}

/// For the real WeChat: what to set in the mini program.
pub fn real(world: &World) {
    let tale = &world.tale;
    addresses(world);
    tale.say("");
    let server = if world.front_at.ip().is_unspecified() {
        tale.say("WARNING: the front door is open to the network: everybody in it can reach this demo.");
        tale.say("警告：前门对局域网开放，网内任何人都能访问本演示。");
        let host = lan_address().map_or("<this machine's address>".to_owned(), |ip| ip.to_string());
        format!("http://{host}:{}", world.front_at.port())
    } else {
        tale.say("DevTools on this machine can reach it; for a real phone in the same network add --lan.");
        tale.say("本机的开发者工具可以访问；真机调试请加 --lan。");
        world.front.clone()
    };
    tale.say("");
    tale.say("1. In DevTools: 详情 → 本地设置 → tick 不校验合法域名、web-view（业务域名）、TLS 版本以及 HTTPS 证书");
    tale.say("   (on a phone: preview, then open 调试 in the menu). Plain HTTP is for development only.");
    tale.say("2. Install the client library (sdk/README.md) and put this line at the top of app.js:");
    tale.say("   安装客户端库（见 sdk/README.zh-CN.md），在 app.js 开头加一行：");
    tale.say(&format!(
        r#"
require('yaopai').install({{ app: '{APP}', server: '{server}' }})
"#
    ));
    tale.say("3. From then on each wx.request to it is logged in and signed. Try, for example in a page's onLoad:");
    tale.say("   此后发往它的 wx.request 都会自动登录并签名。例如在页面的 onLoad 里试试：");
    tale.say(&format!(
        r#"
const form = {{ account: 'lilei', password: 'dumpling-42' }}
const log = what => console.log(what)
wx.request({{ url: '{server}/goods', success: log, fail: log }})
require('yaopai').client().bind({{ form }}).then(log, log)
  .then(() => wx.request({{ url: '{server}/orders', success: log, fail: log }}))
"#
    ));
    tale.say("Or open examples/miniprogram with your appid, and give its config.js this server.");
    tale.say("或者用自己的 appid 打开 examples/miniprogram，把它的 config.js 里的 server 改成上面的地址。");
    tale.say("Each request of the phone is shown below. Ctrl-C stops everything. / 手机的每个请求会显示在下面。");
}

fn addresses(world: &World) {
    let (tale, server) = (&world.tale, &world.server);
    tale.say("");
    tale.say("What runs / 正在运行：");
    tale.say(&format!("  front door  {}   what a phone calls: /yaopai/v1/…, /goods, /orders", world.front));
    tale.say(&format!("  server      {}   public: /yaopai/v1/…", server.public));
    tale.say(&format!("              {}   check: for proxies", server.check));
    tale.say(&format!("              {}   admin: /admin/v1/…, /readyz, /metrics", server.admin));
    tale.say(&format!("  shop        http://{}   accounts lilei dumpling-42, xiaohong hotpot-66", world.shop_at));
    tale.say(&format!("  API key     {}", *world.api_key));
}

/// The address that phones of the same network reach this machine by. Nothing is sent: connecting a UDP socket only looks the
/// way up, and 192.0.2.1 is nobody's (RFC 5737).
fn lan_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|a| a.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}
