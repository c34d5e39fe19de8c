// WxJava (Maven Central) against the simulator: `apiHostUrl` of its configuration leads it there.

import cn.binarywang.wx.miniapp.api.WxMaService;
import cn.binarywang.wx.miniapp.api.impl.WxMaServiceImpl;
import cn.binarywang.wx.miniapp.bean.WxMaMessage;
import cn.binarywang.wx.miniapp.config.impl.WxMaDefaultConfigImpl;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import me.chanjar.weixin.common.error.WxErrorException;

public class MiniProgram {
  static final String BASE_URL = System.getenv("SIM_BASE_URL");
  static final String APPID = System.getenv("SIM_APPID");
  static final String USER = System.getenv("SIM_USER");
  static final HttpClient HTTP = HttpClient.newHttpClient();

  public static void main(String[] args) throws Exception {
    System.out.println("WxJava weixin-java-miniapp against " + BASE_URL);
    WxMaDefaultConfigImpl config = new WxMaDefaultConfigImpl();
    config.setApiHostUrl(BASE_URL);
    config.setAppid(APPID);
    config.setSecret(System.getenv("SIM_APP_SECRET"));
    config.setToken("pushtoken");
    config.setAesKey("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG");
    WxMaService service = new WxMaServiceImpl();
    service.setWxMaConfig(config);

    login(service);
    phone(service);
    encryptedData(service);
    encryptKey(service);
    push(service, config);
    System.exit(0);
  }

  static void login(WxMaService service) throws Exception {
    String code = wxLogin();
    var session = service.getUserService().getSessionInfo(code);
    step(session.getOpenid().startsWith("o") && session.getSessionKey().length() == 24, "code2Session logs in " + USER);
    step(session.getUnionid() != null, "with a unionid");
    refused(40163, "the used code is refused", () -> service.getUserService().getSessionInfo(code));
    refused(40029, "a made-up code is refused", () -> service.getUserService().getSessionInfo("made-up"));
    String token = service.getAccessToken(true);
    step(token.length() > 100 && !token.equals(service.getAccessToken(true)), "access tokens are issued");
  }

  static void phone(WxMaService service) throws Exception {
    String code = control("POST", "phone-code", who()).get("code").getAsString();
    var phone = service.getUserService().getPhoneNumber(code);
    step(phone.getPurePhoneNumber().matches("1\\d{10}"), "getPhoneNumber yields a number");
    step(phone.getWatermark().getAppid().equals(APPID), "and a watermark of the app");
    refused(40029, "the used phone code is refused", () -> service.getUserService().getPhoneNumber(code));
    control("POST", "access-tokens/revoke", app());
    String next = control("POST", "phone-code", who()).get("code").getAsString();
    step(service.getUserService().getPhoneNumber(next) != null, "a dead access token is replaced by the SDK itself");
  }

  static void encryptedData(WxMaService service) throws Exception {
    String key = service.getUserService().getSessionInfo(wxLogin()).getSessionKey();
    JsonObject data = control("POST", "encrypted-data", who());
    String raw = data.get("rawData").getAsString();
    step(service.getUserService().checkUserInfo(key, raw, data.get("signature").getAsString()), "rawData is signed");
    step(!service.getUserService().checkUserInfo(key, raw + " ", data.get("signature").getAsString()), "and nothing else");
    var info = service.getUserService().getUserInfo(key, text(data, "encryptedData"), text(data, "iv"));
    step(info.getNickName().equals(USER) && info.getWatermark().getAppid().equals(APPID), "encryptedData is decrypted");

    JsonObject asked = who();
    asked.addProperty("data", "phone");
    data = control("POST", "encrypted-data", asked);
    var phone = service.getUserService().getPhoneNoInfo(key, text(data, "encryptedData"), text(data, "iv"));
    step(phone.getPhoneNumber().matches("1\\d{10}"), "so is a phone number's old form");

    String displaced = key;
    wxLogin();
    JsonObject newer = control("POST", "encrypted-data", who());
    boolean failed;
    try {
      service.getUserService().getUserInfo(displaced, text(newer, "encryptedData"), text(newer, "iv"));
      failed = false;
    } catch (RuntimeException error) {
      failed = true;
    }
    step(failed, "the displaced session_key decrypts nothing newer");
  }

  static void encryptKey(WxMaService service) throws Exception {
    var session = service.getUserService().getSessionInfo(wxLogin());
    JsonObject onPhone = control("POST", "user-key", who());
    var keys = service.getInternetService().getUserEncryptKey(session.getOpenid(), session.getSessionKey()).getKeyInfoList();
    var newest = keys.get(0);
    step(newest.getEncryptKey().equals(text(onPhone, "encrypt_key")) && newest.getIv().equals(text(onPhone, "iv")),
        "getUserEncryptKey is the phone's key, version " + newest.getVersion());
    refused(87009, "a displaced session_key gets none",
        () -> service.getInternetService().getUserEncryptKey(session.getOpenid(), "tiihtNczf5v6AKRyjwEUhQ=="));
  }

  /** The SDK verifies, decrypts and reads what the simulator pushes, in both formats. */
  static void push(WxMaService service, WxMaDefaultConfigImpl config) throws Exception {
    Map<String, String> query = new HashMap<>();
    String[] body = new String[1];
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/push", exchange -> {
      query.clear();
      for (String pair : exchange.getRequestURI().getRawQuery().split("&")) {
        String[] parts = pair.split("=", 2);
        query.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
      }
      body[0] = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      boolean good = service.checkSignature(query.get("timestamp"), query.get("nonce"), query.get("signature"));
      byte[] answer = (good ? query.getOrDefault("echostr", "success") : "wrong").getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(good ? 200 : 403, answer.length);
      exchange.getResponseBody().write(answer);
      exchange.close();
    });
    server.start();
    JsonObject push = new JsonObject();
    push.addProperty("url", "http://127.0.0.1:" + server.getAddress().getPort() + "/push");
    push.addProperty("token", config.getToken());
    push.addProperty("encoding_aes_key", config.getAesKey());
    push.addProperty("mode", "safe");
    JsonObject patch = new JsonObject();
    patch.add("push", push);
    JsonObject event = who();
    event.addProperty("event", "user_authorization_cancellation");
    for (String format : new String[] {"xml", "json"}) {
      push.addProperty("format", format);
      control("PATCH", "apps/" + APPID, patch);
      step(control("POST", "push/verify", app()).get("verified").getAsBoolean(), "the push URL is verified");
      JsonObject told = control("POST", "push", event);
      step(told.get("accepted").getAsBoolean(), "the SDK accepts the signature of a push");
      WxMaMessage message = format.equals("xml")
          ? WxMaMessage.fromEncryptedXml(body[0], config, query.get("timestamp"), query.get("nonce"), query.get("msg_signature"))
          : WxMaMessage.fromEncryptedJson(body[0], config);
      step("user_authorization_cancellation".equals(message.getEvent()), "and decrypts it: " + format);
      JsonObject forged = event.deepCopy();
      forged.addProperty("tamper", "wrong_signature");
      step(!control("POST", "push", forged).get("accepted").getAsBoolean(), "and refuses a forged one");
    }
    patch.add("push", com.google.gson.JsonNull.INSTANCE);
    control("PATCH", "apps/" + APPID, patch);
    server.stop(0);
  }

  /** What the phone would do: a code, from the simulator's control API. */
  static String wxLogin() throws Exception {
    return control("POST", "code", who()).get("code").getAsString();
  }

  static JsonObject app() {
    JsonObject app = new JsonObject();
    app.addProperty("app", APPID);
    return app;
  }

  static JsonObject who() {
    JsonObject who = app();
    who.addProperty("user", USER);
    return who;
  }

  static String text(JsonObject object, String name) {
    return object.get(name).getAsString();
  }

  static JsonObject control(String method, String path, JsonObject body) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(BASE_URL + "/_sim/" + path))
        .header("Authorization", "Bearer " + System.getenv("SIM_CONTROL_TOKEN"))
        .method(method, HttpRequest.BodyPublishers.ofString(body.toString()))
        .build();
    HttpResponse<String> answer = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() >= 300) {
      throw new IllegalStateException(path + ": " + answer.statusCode() + " " + answer.body());
    }
    return answer.body().isEmpty() ? new JsonObject() : JsonParser.parseString(answer.body()).getAsJsonObject();
  }

  interface Call {
    Object run() throws WxErrorException;
  }

  static void refused(int errcode, String text, Call call) {
    try {
      call.run();
      step(false, text + ": accepted");
    } catch (WxErrorException error) {
      step(error.getError().getErrorCode() == errcode, text + ": " + error.getError().getErrorCode());
    }
  }

  static void step(boolean ok, String text) {
    System.out.println((ok ? "ok    " : "FAIL  ") + text);
    if (!ok) {
      System.exit(1);
    }
  }
}
