import Taro from '@tarojs/taro'
import { createClient, install } from 'yaopai'
import { taroInterceptor } from 'yaopai/taro'

const SERVER = 'https://shop.example'
const options = { app: 'shop', server: SERVER, bindPage: '/pages/bind/index' }

/** From here on `Taro.request` carries the session. */
export const session = PATCH ? install(options) : createClient(options)

// Where nothing of wx can or shall be replaced.
if (!session.installed) Taro.addInterceptor(taroInterceptor(session))

/** A call of the shop's back end: its answer, or an error with a text for the person. */
export async function shop(method, path, data) {
  const answer = await Taro.request({ url: SERVER + path, method, data })
  if (answer.statusCode < 300) return answer.data
  throw new Error((answer.data && (answer.data.message || answer.data.title)) || `HTTP ${answer.statusCode}`)
}
