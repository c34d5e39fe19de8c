"""python-weixin (PyPI) against the simulator: it reads its two URLs from attributes of its API class, nothing else is ours."""

import json
import os
import sys
import urllib.request
from importlib.metadata import version

from weixin.client import WXAPPAPI
from weixin.oauth2 import OAuth2AuthExchangeError

BASE_URL = os.environ["SIM_BASE_URL"]
APPID = os.environ["SIM_APPID"]
SECRET = os.environ["SIM_APP_SECRET"]
USER = os.environ["SIM_USER"]


class MiniProgram(WXAPPAPI):
    protocol, host = BASE_URL.split("://")
    access_token_url = BASE_URL + "/sns/jscode2session"
    client_credential_token_url = BASE_URL + "/cgi-bin/token"


def wx_login():
    """What the phone would do: a code, from the simulator's control API."""
    request = urllib.request.Request(
        BASE_URL + "/_sim/code",
        data=json.dumps({"app": APPID, "user": USER}).encode(),
        headers={"Authorization": "Bearer " + os.environ["SIM_CONTROL_TOKEN"]},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["code"]


def step(ok, text):
    print(("ok    " if ok else "FAIL  ") + text)
    if not ok:
        sys.exit(1)


print("python-weixin", version("python-weixin"), "against", BASE_URL)
mini_program = MiniProgram(appid=APPID, app_secret=SECRET, grant_type="authorization_code")

code = wx_login()
session = mini_program.exchange_code_for_session_key(code=code)
step(session.get("openid", "").startswith("o") and len(session["session_key"]) == 24, "code2Session logs in " + USER)

again = mini_program.exchange_code_for_session_key(code=wx_login())
step(again["openid"] == session["openid"], "a second login is the same openid")

try:
    mini_program.exchange_code_for_session_key(code=code)
    step(False, "the used code was accepted a second time")
except OAuth2AuthExchangeError as error:
    step(error.code == 40163, f"the used code is refused: {error.code} {error.description}")

try:
    mini_program.exchange_code_for_session_key(code="made-up")
    step(False, "a made-up code was accepted")
except OAuth2AuthExchangeError as error:
    step(error.code == 40029, f"a made-up code is refused: {error.code} {error.description}")

server = MiniProgram(appid=APPID, app_secret=SECRET, grant_type="client_credential")
token = server.client_credential_for_access_token()
step(len(token["access_token"]) > 100 and token["expires_in"] == 7200, "an access token is issued for 7200 s")

try:
    MiniProgram(appid=APPID, app_secret="wrong", grant_type="client_credential").client_credential_for_access_token()
    step(False, "a wrong AppSecret was accepted")
except OAuth2AuthExchangeError as error:
    step(error.code == 40125, f"a wrong AppSecret is refused: {error.code} {error.description}")
