import { Button, Text, View } from '@tarojs/components'
import Taro, { useDidShow } from '@tarojs/taro'
import { useState } from 'react'
import { session, shop } from '../../session'

export default function Home() {
  const [goods, setGoods] = useState([])
  const [who, setWho] = useState('')

  // The bind page leads back here, so at each show.
  useDidShow(() => {
    shop('GET', '/goods').then(answer => {
      setGoods(answer.goods)
      setWho(session.session.bound ? `Hello ${session.session.user}` : 'Hello guest')
    }).catch(error => setWho(error.message))
  })

  return (
    <View>
      <Text className='who'>{who}</Text>
      {goods.map(item => (
        <Button key={item} className={`order-${item}`} onClick={() => Taro.navigateTo({ url: `/pages/order/index?item=${item}` })}>{item}</Button>
      ))}
    </View>
  )
}
