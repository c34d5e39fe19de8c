"""body_digest.py [CONTENT-DIGEST] < BODY says whether the body is the one that was signed: docs/body-digest.md."""

# docs: begin
import base64, hashlib, re

MEMBER = re.compile(
    r"[ \t]*([a-z][a-z0-9-]*)=:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?):(?:;[a-z]+(?:=[a-z]+)?)*[ \t]*"
)


def body_is_as_signed(value: str | None, body: bytes) -> bool:
    """value: of the one Content-Digest field, None without one. body: all of it, as it came."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    members = [MEMBER.fullmatch(member) for member in (value or "").split(",")]
    return all(members) and [m[2] for m in members if m[1] == "sha-256"] == [digest]
# docs: end


if __name__ == "__main__":
    import sys

    right = body_is_as_signed(sys.argv[1] if len(sys.argv) > 1 else None, sys.stdin.buffer.read())
    print("as signed" if right else "not as signed")
    sys.exit(0 if right else 1)
