export { cookieJar, type CookieJar, type JarStorage, type Options as CookieJarOptions } from './jar'
export { mergeCookies } from './merge'
