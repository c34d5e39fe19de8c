import { Button, Text, View } from '@tarojs/components'
import { useRouter } from '@tarojs/taro'
import { useState } from 'react'
import { shop } from '../../session'

export default function Order() {
  const { item } = useRouter().params
  const [said, setSaid] = useState('')

  // A guest is sent to the bind page by this, and comes back here.
  const order = () => shop('POST', '/orders', { item }).then(() => setSaid(`Ordered ${item}`), error => setSaid(error.message))

  return (
    <View>
      <Text className='said'>{said}</Text>
      <Button className='order' onClick={order}>Order</Button>
    </View>
  )
}
