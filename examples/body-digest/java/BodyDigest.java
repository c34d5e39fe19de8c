// java BodyDigest.java [CONTENT-DIGEST] < BODY says whether the body is the one that was signed: docs/body-digest.md.

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

final class BodyDigest {
    // docs: begin
    static final Pattern MEMBER = Pattern.compile(
            "[ \t]*([a-z][a-z0-9-]*)=:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?):(?:;[a-z]+(?:=[a-z]+)?)*[ \t]*");

    /** value: of the one Content-Digest field, null without one. body: all of it, as it came. */
    static boolean bodyIsAsSigned(String value, byte[] body) throws GeneralSecurityException {
        String digest = Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(body));
        boolean found = false;
        for (String member : (value == null ? "" : value).split(",", -1)) { // -1: a comma at the end counts
            Matcher m = MEMBER.matcher(member);
            if (!m.matches()) return false;
            if (!m.group(1).equals("sha-256")) continue;
            if (found || !m.group(2).equals(digest)) return false;
            found = true;
        }
        return found;
    }
    // docs: end

    public static void main(String[] args) throws Exception {
        boolean right = bodyIsAsSigned(args.length > 0 ? args[0] : null, System.in.readAllBytes());
        System.out.println(right ? "as signed" : "not as signed");
        System.exit(right ? 0 : 1);
    }
}
