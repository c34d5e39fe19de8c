// node-easywechat (npm) against the simulator: `http.baseURL` of its configuration leads it there.
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { MiniApp } = require('node-easywechat');
const { version } = require('node-easywechat/package.json');

const { SIM_BASE_URL: baseURL, SIM_CONTROL_TOKEN, SIM_APPID: app_id, SIM_APP_SECRET: secret, SIM_USER: user } = process.env;

// What the phone would do, by the simulator's control API.
async function phone(path) {
  const answer = await fetch(`${baseURL}/_sim/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SIM_CONTROL_TOKEN}` },
    body: JSON.stringify({ app: app_id, user }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

function step(ok, text) {
  console.log((ok ? 'ok    ' : 'FAIL  ') + text);
  if (!ok) process.exit(1);
}

async function refused(errcode, text, call) {
  const message = await call().then(() => 'accepted', (error) => error.message);
  step(message.includes(`"errcode":${errcode}`), `${text}: ${message}`);
}

console.log(`node-easywechat ${version} against ${baseURL}`);
// The SDK keeps access tokens in files; those of another simulator's run would be dead.
const cache = mkdtempSync(join(tmpdir(), 'node-easywechat-'));
process.on('exit', () => rmSync(cache, { recursive: true, force: true }));
const config = { app_id, secret, http: { baseURL }, file_cache: { path: cache } };
const app = new MiniApp(config);

const { code } = await phone('code');
const session = await app.getUtils().codeToSession(code);
step(session.openid.startsWith('o') && session.session_key.length === 24, `code2Session logs in ${user}`);
const again = await app.getUtils().codeToSession((await phone('code')).code);
step(again.openid === session.openid, 'a second login is the same openid');
await refused(40163, 'the used code is refused', () => app.getUtils().codeToSession(code));
await refused(40029, 'a made-up code is refused', () => app.getUtils().codeToSession('made-up'));

const plain = await app.getAccessToken().refresh();
step(plain.length > 100, '/cgi-bin/token issues an access token');
const stable = new MiniApp({ ...config, use_stable_access_token: true });
const first = await stable.getAccessToken().refresh();
step(first !== plain && first === (await stable.getAccessToken().refresh()), '/cgi-bin/stable_token issues one and repeats it');
await refused(40125, 'a wrong AppSecret is refused', () => new MiniApp({ ...config, secret: 'wrong' }).getAccessToken().refresh());

const check = async (key) => {
  const signature = createHmac('sha256', key).update('').digest('hex');
  const params = { openid: session.openid, signature, sig_method: 'hmac_sha256' };
  return (await app.getClient().get('/wxa/checksession', { params })).toObject();
};
step((await check(again.session_key)).errcode === 0, 'checksession accepts the newest session_key');
// The SDK's client answers or throws a business error; either way the errcode is in it.
const stale = await check(session.session_key).then(JSON.stringify, (error) => `${error.message} ${error.cause ?? ''}`);
step(stale.includes('87009'), `checksession refuses the displaced one: ${stale}`);

const { code: phoneCode } = await phone('phone-code');
const number = (await app.getClient().postJson('/wxa/business/getuserphonenumber', { code: phoneCode })).toObject();
step(/^1\d{10}$/.test(number.phone_info.purePhoneNumber), 'getuserphonenumber yields a number');
