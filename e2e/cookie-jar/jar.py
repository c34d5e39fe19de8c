"""Python's http.cookiejar: reads sequences, writes for each what each request sends.

It follows Netscape's preliminary specification, which RFC 6265 grew out of; `DomainStrictNonDomain` makes a cookie without Domain
that host's alone, as RFC 6265 does.
"""

import email.message
import http.cookiejar
import json
import sys
import types
import urllib.request

now = 0
http.cookiejar.time = types.SimpleNamespace(**{**vars(http.cookiejar.time), "time": lambda: now})


class Answer:
    def __init__(self, line):
        self.headers = email.message.Message()
        self.headers["Set-Cookie"] = line

    def info(self):
        return self.headers


def request(place):
    return urllib.request.Request(f"https://{place['host']}{place['path']}")


def fresh():
    strict = http.cookiejar.DefaultCookiePolicy.DomainStrictNonDomain
    policy = http.cookiejar.DefaultCookiePolicy(netscape=True, rfc2965=False, strict_ns_domain=strict)
    return http.cookiejar.CookieJar(policy)


for line in sys.stdin:
    sequence = json.loads(line)
    jar, sent = fresh(), []
    now = sequence["start"]
    for step in sequence["steps"]:
        now += step["wait"]
        if step["set"]:
            jar.extract_cookies(Answer(step["set"]["line"]), request(step["set"]))
        for place in step["asks"]:
            asked = request(place)
            jar.add_cookie_header(asked)
            sent.append(asked.get_header("Cookie"))
    print(json.dumps(sent))
