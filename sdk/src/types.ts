import type { YaopaiError } from './error'

export type { YaopaiError } from './error'

/** Of `wx.request` and its like, whatever else the platform takes besides. */
export interface RequestOptions {
  url: string
  method?: string
  data?: unknown
  header?: Record<string, string>
  success?(response: Response): void
  fail?(error: { errMsg: string } & Partial<YaopaiError>): void
  complete?(result: unknown): void
  [more: string]: unknown
}

/** Also as other packages' types have them, `WechatMiniprogram.RequestOption` say: interfaces have no index signature. */
export type AnyOptions = RequestOptions | { url: string }

/** As the platform hands it over: `statusCode`, `header`, `data`, `cookies` … (Alipay: `status`, `headers`). */
export interface Response {
  statusCode: number
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  data: any
  header?: Record<string, string | string[]>
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [more: string]: any
}

/** Works before the request is sent, too: what is called early is done later. */
export interface Task {
  abort(): void
  onHeadersReceived(listener: (result: { header: Record<string, string | string[]> }) => void): void
  offHeadersReceived(listener?: unknown): void
  onChunkReceived(listener: (result: { data: ArrayBuffer }) => void): void
  offChunkReceived(listener?: unknown): void
  onProgressUpdate(listener: (result: { progress: number }) => void): void
  offProgressUpdate(listener?: unknown): void
}

export interface SocketTask {
  send(options: { data: string | ArrayBuffer; [more: string]: unknown }): void
  close(options?: { code?: number; reason?: string; [more: string]: unknown }): void
  onOpen(listener: (result: unknown) => void): void
  onClose(listener: (result: { code?: number; reason?: string }) => void): void
  onError(listener: (result: { errMsg: string }) => void): void
  onMessage(listener: (result: { data: string | ArrayBuffer }) => void): void
}

/** Who the session says one is. No secrets. */
export interface Session {
  id: string
  /** May it act as a user? */
  bound: boolean
  user?: string
  claims?: Record<string, unknown>
  /** When the platform last vouched for the person's account, in milliseconds since 1970 by the server's clock. */
  vouchedAt: number
}

/** One of the user's live sessions, as `GET /yaopai/v1/sessions` has it. Instants are RFC 3339. */
export interface Device {
  session_id: string
  current: boolean
  app: string
  device: { id?: string; type?: string; name?: string }
  created_at: string
  last_seen_at: string
}

/** A key of the platform's own, in place of one that the server hands over: `wechatKey()` of `yaopai/wechat-key`. */
export interface KeySource {
  /** The key for the next request. `isAnew`: the server wants a newer one than the last, if there is one. `global` is `wx`. */
  latest(global: object, isAnew?: boolean): Promise<{
    version: number
    /** The 32 bytes that sign this session's requests. */
    derive(sessionId: string, hmac: (key: Uint8Array, data: Uint8Array) => Uint8Array): Uint8Array
  }>
}

/** Cookies that back ends set, kept on the phone: `cookieJar()` of `yaopai/cookies`. Times are milliseconds. */
export interface CookieJar {
  /** The `Cookie` for a request, with the caller's own merged in. */
  header(url: string, now: number, given?: string): string | undefined
  take(url: string, response: { cookies?: string[]; header?: Record<string, string | string[]> }, now: number): void
  /** At the end of a session, and when another user follows. */
  clear(): void
  open(storage: JarStorage, now: number): Promise<void>
}

export interface JarStorage {
  read(key: string): Promise<string | undefined>
  write(key: string, value: string): Promise<void>
}

/** Who answers for a person while a team moves: the server of this package, or the session that the team has made itself. */
export type Side = 'yaopai' | 'legacy'

/**
 * For the time of a move from a session of one's own: `move()` of `yaopai/move`. Whom the server answers `not_moved` has no
 * session here; the requests go to the platform as they were given, as if this package weren't there.
 */
export interface Move {
  /**
   * Where the person is, as far as is known; else asks the server, by a login, for 10 s at most. In an outage who has never been asked
   * about is on the side of old. Rejects as `login()` if the server refuses the person.
   */
  side(): Promise<Side>
  /** Told when the person is on the other side than before. Answers what takes the listener away. */
  onChange(listener: (side: Side) => void): () => void
}

export interface Options {
  /** The app's name in the server's configuration; not the appid. */
  app: string
  /** `https://shop.example`, with a path prefix if there is one. By version: `develop` falls back to `trial`, `trial` to `release`. */
  server: string | { develop?: string; trial?: string; release: string }
  /** Further origins whose requests carry the session. Default: the server's alone. */
  hosts?: string[]
  /** `/pages/bind/bind`, no tab's page: navigated to, once, when a request meets `not_bound`. */
  bindPage?: string
  /** Whether requests are signed. `off` is for apps with `keyed = "off"` only. Default `required`. */
  keyed?: 'required' | 'off'
  key?: KeySource
  jar?: CookieJar
  move?: Move
  /** Where the server expects the token, by its `[carriers]`. Default: `Authorization: Bearer`. */
  carrier?: { cookie: string } | { header: string }
  /**
   * For back ends that say "not logged in" in their own way, such as 200 and an errno: then there is a new login, and a GET or
   * HEAD is sent again. Asked of every answer of our hosts that the server has not refused, downloads' too. Throwing is no.
   */
  isUnauthorized?(response: Response): boolean
  device?: { id?: string; type?: string; name?: string }
  /** Default: the phone's. */
  language?: 'zh' | 'en'
  /** Told why the session ended, or a refusal that the person must hear. Default: `wx.showModal`, whose OK logs in again. */
  onEnd?(end: { code: string; message: string }): void
  /** Default `yaopai`. */
  storageKey?: string
  /** The platform's global. Default: `wx`, else `my`, `tt`, `swan`, `qq`, `ks`. */
  platform?: object
}

/** What a bind is proven by. */
export type Evidence = { form: Record<string, unknown> } | { phoneCode: string } | { bindCode: string }

/** Promises reject with a {@link YaopaiError}; those of `request` and its like also with the platform's `{ errMsg }`, where there was no answer. */
export interface Client {
  /**
   * As `wx.request`. The task comes at once and is a promise too, of the response whatever its status; it rejects where
   * `wx.request` would call `fail`.
   */
  request(options: AnyOptions): Task & PromiseLike<Response>
  uploadFile(options: AnyOptions): Task & PromiseLike<Response>
  downloadFile(options: AnyOptions): Task & PromiseLike<Response>
  /** As `wx.connectSocket`, with a ticket in the URL, a new one at each call. */
  connectSocket(options: AnyOptions): SocketTask
  /** Makes sure that there is a session: one `wx.login` for any number of callers, none if there is one. */
  login(): Promise<Session>
  readonly session: Session | undefined
  /** Says who the user is. On success goes back to where the person was. A new call is a new try. */
  bind(evidence: Evidence): Promise<Session>
  /** Whose account a bind code is for, masked. Have the person confirm it before `bind`. */
  preview(bindCode: string): Promise<{ account: string }>
  /** Forgets the binding of this account of the platform, and goes on in a new session. */
  unbind(): Promise<void>
  /** The number behind a `getPhoneNumber` code. Binds nobody. */
  phone(code: string): Promise<{ phone: string }>
  /** On `session_key_stale` the session has been renewed: get the data from the platform anew and call again. */
  decrypt(data: { encryptedData: string; iv: string }): Promise<Record<string, unknown>>
  /** Has the platform vouch anew for the account, silently. */
  stepUp(): Promise<Session>
  devices(): Promise<Device[]>
  kick(sessionId: string): Promise<void>
  /** The URL with a ticket that is good once, within 30 s. */
  ticket(url: string, use: 'socket' | 'image' | 'web-view'): Promise<string>
  /** Until `login()` no request opens a session by itself; a new start of the mini program does. */
  logout(): Promise<void>
  /** `change`: another session, or another user of it. `end`: as `onEnd`. Answers what takes the listener away. */
  on(event: 'change' | 'end', listener: (what?: { code: string; message: string }) => void): () => void
  /** The server's time as far as it is known, in milliseconds since 1970. */
  now(): number
  /** Whether the platform's functions are ours now. */
  readonly installed: boolean
  /** Gives them back, those that are still ours. */
  uninstall(): void
}
