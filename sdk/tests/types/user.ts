// The types as a strict program uses them. Compiled against what is published; never run.
import { client, createClient, install, type Client, type Device, type Options, type Session, type YaopaiError } from 'yaopai'
import { cookieJar } from 'yaopai/cookies'
import { move, type Side } from 'yaopai/move'
import { taroInterceptor } from 'yaopai/taro'
import { uniRequest } from 'yaopai/uni'
import { wechatKey } from 'yaopai/wechat-key'

const moving = move({ storageKey: 'm' })
export const side: Promise<Side> = moving.side()
moving.onChange(now => void (now === 'legacy'))()

const options: Options = {
  move: moving,
  app: 'shop',
  server: { release: 'https://shop.example' },
  jar: cookieJar({ keepSession: true }),
  key: wechatKey(),
  isUnauthorized: ({ data }) => data.errno === 501,
  carrier: { cookie: 'sid' },
  onEnd: ({ message }) => void message.length,
}
export const installed: Client = install(options)
export const other = createClient(options)

// As WeChat's own package of types has it: interfaces, without an index signature.
interface WechatOption {
  url: string
  data?: string | Record<string, unknown> | ArrayBuffer
  method?: 'GET' | 'POST'
  success?: (result: { data: string; statusCode: number; cookies: string[]; errMsg: string }) => void
  fail?: (result: { errMsg: string }) => void
}
export const request = (o: WechatOption) => client().request(o)
export const upload = (o: WechatOption) => client().uploadFile(o)
export const download = (o: WechatOption) => client().downloadFile(o)
export const socket = (o: WechatOption) => client().connectSocket(o)

export async function use(c: Client) {
  const { statusCode } = await c.request({ url: 'https://shop.example/a', timeout: 5000, success: ({ data }) => void data.id })
  c.request({ url: 'https://shop.example/a', method: 'POST', data: { n: statusCode + 1 } }).abort()
  await Promise.all([c.request({ url: 'a' }), uniRequest(c)({ url: 'b' }).catch(() => undefined)])
  await c.bind({ form: { name: 'alice' } }).catch((error: YaopaiError) => (error.retryIn || 0) + error.message.length)
  const session: Session | undefined = c.session
  const devices: Device[] = await c.devices()
  c.on('end', end => void (end && end.code))()
  c.connectSocket({ url: await c.ticket('wss://shop.example/ws', 'socket'), protocols: ['a'] }).onOpen(() => {})
  // @ts-expect-error: nothing that a bind could be proven by
  await c.bind({ password: 'x' })
  // @ts-expect-error: the client's to say
  c.installed = true
  // @ts-expect-error: no URL
  c.request({ method: 'GET' })
  return [session && session.user, devices[0]?.device.name, taroInterceptor(c)]
}
